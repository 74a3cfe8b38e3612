# The platform model: its rules alone (unit), and tiny guests on it (kvm). A folder
# tests/model/guests/NAME with a main.c becomes build/tests/guests/snp-NAME.bin, tdx_NAME tdx-NAME.bin.
TDX_GUESTS := $(patsubst tests/model/guests/tdx_%/main.c,%,$(wildcard tests/model/guests/tdx_*/main.c))
SNP_GUESTS := $(filter-out tdx_%,$(patsubst tests/model/guests/%/main.c,%,\
                $(wildcard tests/model/guests/*/main.c)))
SNP_GUEST_IMAGES := $(foreach g,$(SNP_GUESTS),$(O)/tests/guests/snp-$(g).bin)
SNP_GUEST_LIB := $(O)/snp-guests/start.o $(O)/snp-guests/snp.o
SNP_GUEST_LDS := tests/model/guests/lib/guest.lds
EXTRA_TESTS += $(SNP_GUEST_IMAGES)

$(O)/snp-guests/%.o: tests/model/guests/lib/%.S
	@mkdir -p $(@D)
	@echo "  GUEST $<"
	$(Q)$(CC) -I. $(GUEST_CFLAGS) -c -o $@ $<

$(O)/snp-guests/%.o: tests/model/guests/lib/%.c tests/model/guests/lib/snp.h firmware/layout.h
	@mkdir -p $(@D)
	@echo "  GUEST $<"
	$(Q)$(CC) -I. $(GUEST_CFLAGS) -c -o $@ $<

$(O)/snp-guests/%-main.o: tests/model/guests/%/main.c tests/model/guests/lib/snp.h firmware/layout.h
	@mkdir -p $(@D)
	@echo "  GUEST $<"
	$(Q)$(CC) -I. $(GUEST_CFLAGS) -c -o $@ $<

$(O)/tests/guests/snp-%.bin: $(O)/snp-guests/%-main.o $(SNP_GUEST_LIB) $(SNP_GUEST_LDS)
	@mkdir -p $(@D)
	@echo "  GUEST $@"
	$(Q)$(LD) -static -nostdlib -z noexecstack --no-warn-rwx-segments -T $(SNP_GUEST_LDS) \
		-o $(@:.bin=.elf) $(filter %.o,$^)
	$(Q)$(OBJCOPY) -O binary -j .image $(@:.bin=.elf) $@

TDX_GUEST_IMAGES := $(foreach g,$(TDX_GUESTS),$(O)/tests/guests/tdx-$(g).bin)
TDX_GUEST_LIB := $(O)/tdx-guests/tdx_start.o $(O)/tdx-guests/tdx.o
TDX_GUEST_LDS := tests/model/guests/lib/tdx.lds
EXTRA_TESTS += $(TDX_GUEST_IMAGES)

$(O)/tdx-guests/%.o: tests/model/guests/lib/%.S
	@mkdir -p $(@D)
	@echo "  GUEST $<"
	$(Q)$(CC) -I. $(GUEST_CFLAGS) -c -o $@ $<

$(O)/tdx-guests/%.o: tests/model/guests/lib/%.c tests/model/guests/lib/tdx.h firmware/layout.h
	@mkdir -p $(@D)
	@echo "  GUEST $<"
	$(Q)$(CC) -I. $(GUEST_CFLAGS) -c -o $@ $<

$(O)/tdx-guests/%-main.o: tests/model/guests/tdx_%/main.c tests/model/guests/lib/tdx.h firmware/layout.h
	@mkdir -p $(@D)
	@echo "  GUEST $<"
	$(Q)$(CC) -I. $(GUEST_CFLAGS) -c -o $@ $<

$(O)/tests/guests/tdx-%.bin: $(O)/tdx-guests/%-main.o $(TDX_GUEST_LIB) $(TDX_GUEST_LDS)
	@mkdir -p $(@D)
	@echo "  GUEST $@"
	$(Q)$(LD) -static -nostdlib -z noexecstack --no-warn-rwx-segments -T $(TDX_GUEST_LDS) \
		-o $(@:.bin=.elf) $(filter %.o,$^)
	$(Q)$(OBJCOPY) -O binary -j .image $(@:.bin=.elf) $@

TOOLS += kvm_model_tdx
kvm_model_tdx_SRCS = tests/model/kvm_model_tdx.c tests/model/tiny_td.c tests/model/tdx_process.c \
                     $(KVM_HARNESS_SRCS)
kvm_model_tdx_LIBS = $(ATTEST_LIB_LIBS)
KVM_SCRIPTS += $(O)/tests/kvm_model_tdx

# The TDX firmware image itself, under attack.
TOOLS += kvm_model_tdx_boot
kvm_model_tdx_boot_SRCS = tests/model/kvm_model_tdx_boot.c tests/model/tdx_process.c \
                          $(KVM_HARNESS_SRCS)
kvm_model_tdx_boot_LIBS = $(ATTEST_LIB_LIBS)
KVM_SCRIPTS += $(O)/tests/kvm_model_tdx_boot

TOOLS += kvm_model
kvm_model_SRCS = tests/model/kvm_model.c tests/model/tiny_guest.c tests/model/psp_process.c \
                 $(KVM_HARNESS_SRCS)
kvm_model_LIBS = $(ATTEST_LIB_LIBS)
KVM_SCRIPTS += $(O)/tests/kvm_model

# Where a secret of the guest's is and is not, cores included. vmm-dumpable is pavise-vmm-sim without
# what keeps the kernel from writing a core.
TOOLS += kvm_model_canary vmm-dumpable
kvm_model_canary_SRCS = tests/model/kvm_model_canary.c tests/model/tiny_guest.c \
                        tests/model/tiny_td.c tests/model/tdx_process.c tests/model/psp_process.c $(KVM_HARNESS_SRCS)
KVM_SCRIPTS += $(O)/tests/kvm_model_canary
vmm-dumpable_SRCS = $(pavise-vmm-sim_SRCS) tests/model/fault/dumpable.c
vmm-dumpable_LIBS = $(pavise-vmm-sim_LIBS) -Wl,--wrap=seal_process -Wl,--wrap=seal_landlock
vmm-dumpable_LINK := $(STATIC)

# The SEV-SNP firmware image itself, and a kernel of a few instructions.
TOOLS += kvm_model_boot
kvm_model_boot_SRCS = tests/model/kvm_model_boot.c tests/model/psp_process.c \
                      $(KVM_HARNESS_SRCS)
kvm_model_boot_LIBS = $(ATTEST_LIB_LIBS)
KVM_SCRIPTS += $(O)/tests/kvm_model_boot


TESTS += test_model_rmp test_model_ghcb test_model_alias test_model_launch
test_model_rmp_SRCS := tests/model/test_model_rmp.c model/rmp.c model/pages.c
test_model_rmp_LIBS := -lcmocka
test_model_ghcb_SRCS := tests/model/test_model_ghcb.c model/ghcb.c
test_model_ghcb_LIBS := -lcmocka
test_model_alias_SRCS := tests/model/test_model_alias.c model/alias.c model/rmp.c \
                         model/pages.c common/err.c
test_model_alias_LIBS := -lcmocka
SNP_BENCH_SRCS = tests/model/snp_bench.c $(MODEL_SRCS) common/err.c common/bytes.c common/seal.c
test_model_launch_SRCS = tests/model/test_model_launch.c $(SNP_BENCH_SRCS)
test_model_launch_LIBS := -lcmocka -lpthread -Wl,--wrap=ioctl
TESTS += test_model_snp_rows
test_model_snp_rows_SRCS = tests/model/test_model_snp_rows.c $(SNP_BENCH_SRCS)
test_model_snp_rows_LIBS := -lcmocka -lpthread -Wl,--wrap=ioctl

# A trust domain without KVM and module below.
TD_BENCH_SRCS = tests/model/td_bench.c $(MODEL_SRCS) common/err.c common/bytes.c common/seal.c
TESTS += test_model_tdx test_model_tdcall test_model_sept
test_model_tdx_SRCS = tests/model/test_model_tdx.c $(TD_BENCH_SRCS)
test_model_tdx_LIBS := -lcmocka -lpthread -Wl,--wrap=ioctl
test_model_tdcall_SRCS = tests/model/test_model_tdcall.c $(TD_BENCH_SRCS)
test_model_tdcall_LIBS := -lcmocka -lpthread -Wl,--wrap=ioctl
test_model_sept_SRCS := tests/model/test_model_sept.c model/sept.c model/pages.c
test_model_sept_LIBS := -lcmocka

TOOLS += kvm_model_firmware
kvm_model_firmware_SRCS := tests/model/kvm_model_firmware.c tests/model/psp_process.c \
                           tests/model/tdx_process.c \
                           $(KVM_HARNESS_SRCS) firmware/sha256.c firmware/sha256ni.c firmware/sha384.c
KVM_SCRIPTS += $(O)/tests/kvm_model_firmware
FUZZERS += fuzz_ghcb_host
fuzz_ghcb_host_SRCS := tests/fuzz/fuzz_ghcb_host.c model/ghcb.c
FUZZERS += fuzz_tdcall_host
fuzz_tdcall_host_SRCS := tests/fuzz/fuzz_tdcall_host.c model/tdcall.c model/tdvmcall.c model/td_quote.c \
                         model/sept.c model/pages.c model/alias.c model/exits.c model/fold.c model/platform.c \
                         model/private.c model/request.c model/sites.c common/err.c common/bytes.c
fuzz_tdcall_host_LIBS := -Wl,--wrap=ioctl -Wl,--wrap=ppoll
FUZZERS += fuzz_request
fuzz_request_SRCS := tests/fuzz/fuzz_request.c model/request.c common/err.c

# Predicted and launched digests of many configurations: make launch-matrix.
TOOLS += launch-matrix
launch-matrix_SRCS = tests/model/launch_matrix.c tests/model/launch_one.c tests/model/launch_td.c \
                     tests/model/launch_change.c tests/model/launch_compare.c \
                     tests/model/id_auth.c tests/model/psp_process.c tests/model/tdx_process.c \
                     model/psp_client.c model/tdx_client.c $(KVM_HARNESS_SRCS)
launch-matrix_LIBS = $(ATTEST_LIB_LIBS)
KVM_SCRIPTS += tests/model/test_launch_matrix.sh

# SEV-SNP launches by a kernel under strain, and by a lying one.
TOOLS += kvm_model_snp_launch
kvm_model_snp_launch_SRCS = tests/model/kvm_model_snp_launch.c tests/model/launch_one.c \
                            tests/model/launch_compare.c tests/model/id_auth.c \
                            tests/model/psp_process.c model/psp_client.c $(KVM_HARNESS_SRCS)
kvm_model_snp_launch_LIBS = $(ATTEST_LIB_LIBS)
KVM_SCRIPTS += $(O)/tests/kvm_model_snp_launch

# A launch's identity, end to end: ID blocks through `pavise run`, reports through `pavise verify`.
TOOLS += id_sign snp_report
id_sign_SRCS := tests/model/id_sign.c common/err_report.c \
                tests/model/id_auth.c common/bytes.c common/file.c common/err.c
id_sign_LIBS := -lcrypto
snp_report_SRCS = tests/model/snp_report.c tests/model/launch_one.c tests/model/id_auth.c \
                  tests/model/psp_process.c model/psp_client.c $(KVM_HARNESS_SRCS)
snp_report_LIBS := -ljansson -lcrypto
KVM_SCRIPTS += tests/model/launch_identity.py tests/model/launch_reference.py

# A host that attacks: pavise-vmm-sim and one more argument, fault=.
TOOLS += vmm-fault
vmm-fault_SRCS = $(pavise-vmm-sim_SRCS) tests/model/fault/fault.c tests/model/fault/launch.c \
                 tests/model/fault/launch_snp.c
vmm-fault_LIBS = $(pavise-vmm-sim_LIBS) $(addprefix -Wl$(comma)--wrap=,config_parse model_run_vcpu \
                 tdx_capabilities tdx_init_vm tdx_init_mem_region tdx_finalize_vm \
                 sev_init2 sev_launch_start sev_launch_update sev_launch_finish)
vmm-fault_LINK := $(STATIC)
