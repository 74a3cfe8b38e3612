# Tables to headers: sandbox/seccomp/NAME.table becomes $(O)/gen/seccomp/NAME.h, with underscores,
# before anything is compiled; and $(O)/gen/seccomp-batch/NAME.h, which only tests may include.
SECCOMP_TABLES := vmm-setup vmm-main vmm-vcpu vmm-confidential-vcpu vmm-sim-setup vmm-sim-vcpu dev-setup dev-blk dev-vsock \
                  psp-sim tdx-sim quote-unix quote-vsock attest-front attest-broker
SECCOMP_SRCS := sandbox/seccomp/table.c sandbox/seccomp/names.c sandbox/seccomp/filter.c
SECCOMP_LIBS := -lseccomp

SECCOMP_COMPILE := $(O)/tools/seccomp-compile
SECCOMP_COMPILE_SRCS := sandbox/seccomp/compile.c common/err_report.c \
                        $(SECCOMP_SRCS) common/err.c common/file.c
$(SECCOMP_COMPILE): $(SECCOMP_COMPILE_SRCS) $(wildcard sandbox/seccomp/*.h) common/err.h common/file.h
	@mkdir -p $(@D)
	@echo "  HOST  $@"
	$(Q)$(HOSTCC) -I. -D_GNU_SOURCE -std=gnu17 -O2 $(WARN) -o $@ $(SECCOMP_COMPILE_SRCS) $(SECCOMP_LIBS)

define seccomp_header
$(O)/gen/seccomp/$(subst -,_,$(1)).h: sandbox/seccomp/$(1).table $$(SECCOMP_COMPILE)
	@mkdir -p $$(@D)
	@echo "  GEN   $$@"
	$$(Q)$$(SECCOMP_COMPILE) $$< $(subst -,_,$(1)) $$@
$(O)/gen/seccomp-batch/$(subst -,_,$(1)).h: sandbox/seccomp/$(1).table $$(SECCOMP_COMPILE)
	@mkdir -p $$(@D)
	$$(Q)$$(SECCOMP_COMPILE) --refuse $$< $(subst -,_,$(1))_batch $$@
GENERATED += $(O)/gen/seccomp/$(subst -,_,$(1)).h $(O)/gen/seccomp-batch/$(subst -,_,$(1)).h
endef
$(foreach t,$(SECCOMP_TABLES),$(eval $(call seccomp_header,$(t))))

TESTS += test_seccomp test_seccomp_stages test_seal
SECCOMP_SIMULATOR_SRCS := tests/seccomp/roles.c tests/seccomp/decide.c tests/seccomp/bpf.c
test_seccomp_SRCS := tests/unit/test_seccomp.c $(SECCOMP_SIMULATOR_SRCS) \
                     $(SECCOMP_SRCS) common/err.c common/file.c
test_seccomp_LIBS := -lcmocka $(SECCOMP_LIBS)
test_seccomp_stages_SRCS := tests/unit/test_seccomp_stages.c $(SECCOMP_SIMULATOR_SRCS)
test_seccomp_stages_LIBS := -lcmocka
test_seal_SRCS := tests/unit/test_seal.c common/seal.c common/err.c
test_seal_LIBS := -lcmocka -lpthread -Wl,--wrap=prctl

FUZZERS += fuzz_seccomp_table
fuzz_seccomp_table_SRCS := tests/fuzz/fuzz_seccomp_table.c sandbox/seccomp/table.c \
                           sandbox/seccomp/names.c common/err.c
fuzz_seccomp_table_LIBS := $(SECCOMP_LIBS)
