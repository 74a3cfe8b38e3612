# pavise: one flat make. Each folder lists its programs and tests in its module.mk;
# the rules that build them are all here.
#
#   make            build every program and the firmware
#   make check      set up, build, run every test tier this machine can run
#   make demo       set up, build, and show the main job in the lab
#   make help       every target, a line each

VERSION := 0.1.0
O ?= build
CC := gcc
HOSTCC := gcc
CLANG ?= clang
PKG_CONFIG ?= pkg-config
PYTHON ?= python3
Q := @

CPPFLAGS := -I. -I$(O)/gen -D_GNU_SOURCE -D_FORTIFY_SOURCE=2
WARN := -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
        -Wformat=2 -Wnull-dereference -Wvla -Wundef -Werror
HARDEN := -fPIE -fstack-protector-strong -fstack-clash-protection -fcf-protection=full \
          -fzero-call-used-regs=used-gpr -ftrivial-auto-var-init=zero -fno-strict-aliasing
OPT ?= -O2 -g
CFLAGS := -std=gnu17 $(OPT) $(WARN) $(HARDEN)
LDFLAGS := -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code
DYNAMIC := -pie
STATIC := -static-pie

# Programs, cmocka tests, test scripts and fuzzers, filled in by the modules:
#   PROGS += NAME        NAME_SRCS, NAME_LIBS, NAME_LINK ($(STATIC) or $(DYNAMIC))
#   TESTS += test_NAME   the same variables; run in the unit tier
#   TOOLS += NAME        the same variables; used by tests only, never installed
#   FUZZERS += fuzz_NAME the same variables; built with clang
PROGS :=
TESTS :=
TOOLS :=
UNIT_SCRIPTS :=
KVM_SCRIPTS :=
LAB_SCRIPTS :=
EXTRA_TESTS :=
FUZZERS :=
EXTRA :=
GENERATED :=

all:

# common first: the others name its variables.
include common/module.mk attest/library.mk $(filter-out common/module.mk,$(sort $(wildcard */module.mk */*/module.mk)))

# $(1) a name: link the program from its sources.
define program
$(1)_OBJS := $$(patsubst %.c,$$(O)/obj/%.o,$$(filter %.c,$$($(1)_SRCS))) \
             $$(patsubst %.S,$$(O)/obj/%.o,$$(filter %.S,$$($(1)_SRCS)))
$(2)/$(1): $$($(1)_OBJS) $$(filter %.a,$$($(1)_LIBS))
	@mkdir -p $$(@D)
	@echo "  LINK  $$@"
	$$(Q)$$(CC) $$(CFLAGS) $$(SANITIZE) $$(LDFLAGS) $$(if $$($(1)_LINK),$$($(1)_LINK),$$(DYNAMIC)) -o $$@ $$($(1)_OBJS) $$($(1)_LIBS)
ALL_OBJS += $$($(1)_OBJS)
endef
$(foreach p,$(PROGS),$(eval $(call program,$(p),$(O)/bin)))
$(foreach t,$(TESTS) $(TOOLS),$(eval $(call program,$(t),$(O)/tests)))

# Made anew, or members of files that are gone would stay in it.
ATTEST_LIB_OBJS := $(patsubst %.c,$(O)/obj/%.o,$(sort $(ATTEST_LIB_SRCS)))
$(ATTEST_LIB): $(ATTEST_LIB_OBJS)
	@mkdir -p $(@D)
	@echo "  AR    $@"
	$(Q)rm -f $@ && $(AR) rcs $@ $(ATTEST_LIB_OBJS)
ALL_OBJS += $(ATTEST_LIB_OBJS)

# The library as others use it: only what pavise-attest.h names can be seen.
ATTEST_SO := $(O)/lib/libpavise-attest.so.0
ATTEST_PIC_OBJS := $(patsubst %.c,$(O)/obj-pic/%.o,$(sort $(ATTEST_LIB_SRCS)))
$(O)/obj-pic/%.o: %.c | $(GENERATED)
	@mkdir -p $(@D)
	@echo "  CC    $< (library)"
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -fPIC -fvisibility=hidden -ffunction-sections $(SANITIZE) $(CFLAGS_$(subst /,_,$(patsubst %.c,%,$<))) -MMD -MP -c -o $@ $<
$(ATTEST_SO): $(ATTEST_PIC_OBJS) attest/libpavise-attest.map
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(CC) $(CFLAGS) $(SANITIZE) $(LDFLAGS) -shared -Wl,--gc-sections -Wl,-soname,$(@F) -Wl,--no-undefined \
		-Wl,--version-script=attest/libpavise-attest.map -o $@ $(ATTEST_PIC_OBJS) $(JANSSON_LIBS) $(CRYPTO_LIBS)
	$(Q)ln -sf $(@F) $(O)/lib/libpavise-attest.so
# One object, or names of the library's insides could clash with a program's.
$(O)/lib/static/libpavise-attest.a: $(ATTEST_PIC_OBJS)
	@mkdir -p $(@D)
	@echo "  AR    $@"
	$(Q)rm -f $@ && $(LD) -r -o $(@D)/all.o $(ATTEST_PIC_OBJS) && objcopy --localize-hidden $(@D)/all.o && $(AR) rcs $@ $(@D)/all.o
ALL_OBJS += $(ATTEST_PIC_OBJS)
EXTRA += $(ATTEST_SO) $(O)/lib/static/libpavise-attest.a

# The library's tests with checks that can be made to pass (tests/mutate_checks.py).
MUTE_OBJS := $(O)/mute/checks.o $(O)/obj/tests/tools/one_case.o
$(O)/mute/checks.o: attest/appraise/checks.c | $(GENERATED)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(SANITIZE) -DPAVISE_TEST_MUTE -MMD -MP -c -o $@ $<
define mute
$(O)/mute/$(1): $$($(1)_OBJS) $(MUTE_OBJS) $(ATTEST_LIB)
	@echo "  LINK  $$@"
	$$(Q)$$(CC) $$(CFLAGS) $$(SANITIZE) $$(LDFLAGS) $$(DYNAMIC) -o $$@ $$($(1)_OBJS) $(MUTE_OBJS) $$($(1)_LIBS)
endef
$(foreach t,$(ATTEST_TESTS),$(eval $(call mute,$(t))))
ALL_OBJS += $(MUTE_OBJS)

# The escape suite's launcher and payload: with switches for the layers, which nothing installed has.
$(O)/layers/%.o: %.c | $(GENERATED)
	@mkdir -p $(@D)
	@echo "  CC    $< (layers)"
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(SANITIZE) -DPAVISE_LAYER_SWITCHES -MMD -MP -c -o $@ $<
ESCAPE_LAUNCH_OBJS := $(patsubst %.c,$(O)/layers/%.o,$(sort $(ESCAPE_LAUNCH_SRCS)))
ESCAPE_PAYLOAD_OBJS := $(patsubst %.c,$(O)/layers/%.o,$(ESCAPE_PAYLOAD_SRCS))
$(O)/tests/escape/pavise-launch-layers: $(ESCAPE_LAUNCH_OBJS)
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(CC) $(CFLAGS) $(SANITIZE) $(LDFLAGS) $(DYNAMIC) \
		-Wl,--wrap=jail_capabilities,--wrap=vtpm_boot,--wrap=vm_check_sealed,--wrap=execveat -o $@ $^ $(pavise-launch_LIBS)
$(O)/tests/escape/payload: $(ESCAPE_PAYLOAD_OBJS)
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(CC) $(CFLAGS) $(SANITIZE) $(LDFLAGS) $(STATIC) -o $@ $^
ALL_OBJS += $(ESCAPE_LAUNCH_OBJS) $(ESCAPE_PAYLOAD_OBJS)

# Fuzzers: clang, with its own instrumentation; the library in an archive of its own.
FUZZ_FLAGS := -std=gnu17 -O1 -g -I. -I$(O)/gen -D_GNU_SOURCE \
              -fsanitize=address,undefined -fno-sanitize-recover=undefined
$(O)/fuzz/obj/%.o: %.c | $(GENERATED)
	@mkdir -p $(@D)
	@echo "  FUZZ  $<"
	$(Q)$(CLANG) $(FUZZ_FLAGS) $(CFLAGS_$(subst /,_,$(patsubst %.c,%,$<))) -fsanitize=fuzzer-no-link -MMD -MP -c -o $@ $<
ATTEST_FUZZ_OBJS := $(patsubst %.c,$(O)/fuzz/obj/%.o,$(sort $(ATTEST_LIB_SRCS)))
$(ATTEST_FUZZ_LIB): $(ATTEST_FUZZ_OBJS)
	@rm -f $@
	$(Q)$(AR) rcs $@ $(ATTEST_FUZZ_OBJS)
ALL_OBJS += $(ATTEST_FUZZ_OBJS)
# $(1) a fuzzer
define fuzzer
$(1)_FUZZ_OBJS := $$(patsubst %.c,$$(O)/fuzz/obj/%.o,$$($(1)_SRCS))
$(O)/fuzz/$(1): $$($(1)_FUZZ_OBJS) $$(filter %.a,$$($(1)_LIBS))
	$$(Q)$$(CLANG) $$(FUZZ_FLAGS) -fsanitize=fuzzer -o $$@ $$($(1)_FUZZ_OBJS) $$($(1)_LIBS)
ALL_OBJS += $$($(1)_FUZZ_OBJS)
# With a bug in PLANTED_IN, whose copy tests/fuzz/planted.sh has put here.
$(O)/planted/$(1): $$($(1)_FUZZ_OBJS) $$(filter %.a,$$($(1)_LIBS)) $(O)/planted/$(1).c
	$$(Q)$$(CLANG) $$(FUZZ_FLAGS) -fsanitize=fuzzer-no-link -c -o $$@.o $$@.c
	$$(Q)$$(CLANG) $$(FUZZ_FLAGS) -fsanitize=fuzzer -o $$@ $$@.o \
		$$(filter-out $(O)/fuzz/obj/$$(PLANTED_IN:.c=.o),$$($(1)_FUZZ_OBJS)) $$($(1)_LIBS)
endef
$(foreach f,$(FUZZERS),$(eval $(call fuzzer,$(f))))
# Those that feed code of attest/.
ATTEST_FUZZERS = $(foreach f,$(FUZZERS),$(if $(filter attest/% $(ATTEST_FUZZ_LIB),\
	$($(f)_SRCS) $($(f)_LIBS)),$(f)))

# GENERATED: headers that have to exist before anything is compiled.
$(O)/obj/%.o: %.c | $(GENERATED)
	@mkdir -p $(@D)
	@echo "  CC    $<"
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(SANITIZE) $(CFLAGS_$(subst /,_,$(patsubst %.c,%,$<))) -MMD -MP -c -o $@ $<

$(O)/obj/%.o: %.S
	@mkdir -p $(@D)
	@echo "  AS    $<"
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

-include $(patsubst %.o,%.d,$(sort $(ALL_OBJS)))

all: $(addprefix $(O)/bin/,$(PROGS)) $(EXTRA)

build-tests: all $(addprefix $(O)/tests/,$(TESTS) $(TOOLS)) $(EXTRA_TESTS)

fuzzers: $(addprefix $(O)/fuzz/,$(FUZZERS))

# ---- what people run; each sets itself up -------------------------------------------------

# What sets itself up uses every processor; `make -j` of the caller's own wins.
JOBS = $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$(shell nproc))
RUN_TESTS = tests/run-tests --expected-skips tests/expected-skips --logs $(O)/logs
UNIT_TIER = --tier unit $(addprefix $(O)/tests/,$(TESTS)) $(UNIT_SCRIPTS)
KVM_TIER = --tier kvm $(KVM_SCRIPTS)
# A lab machine has one processor and 2.5 GiB: two at a time where there is room.
LAB_JOBS ?= $(shell [ $$(nproc) -ge 2 ] && [ $$(awk '/^MemAvailable/ { print int($$2 / 1048576) }' /proc/meminfo) -ge 8 ] && \
	echo 2 || echo 1)
LAB_TIER = --jobs $(LAB_JOBS) --tier lab $(LAB_SCRIPTS)
# Test scripts find what was built here.
export PAVISE_BUILD := $(abspath $(O))

check:
	scripts/setup.sh build unit lab
	$(MAKE) $(JOBS) build-tests fuzzers
	$(RUN_TESTS) $(UNIT_TIER) $(KVM_TIER) $(LAB_TIER)

check-unit:
	scripts/setup.sh build unit
	$(MAKE) $(JOBS) build-tests fuzzers
	$(RUN_TESTS) $(UNIT_TIER)

check-kvm:
	scripts/setup.sh build unit
	$(MAKE) $(JOBS) build-tests
	$(RUN_TESTS) $(KVM_TIER)

check-lab:
	scripts/setup.sh build unit lab
	$(MAKE) $(JOBS) build-tests
	$(RUN_TESTS) $(LAB_TIER)

# What a taken-over process of a VM may try, with all layers of isolation, with none, and without each in turn.
escape:
	scripts/setup.sh build unit lab
	$(MAKE) $(JOBS) $(O)/tests/escape/pavise-launch-layers $(O)/tests/escape/payload $(O)/tests/mkplan
	tests/escape/test_escape.sh

# kill -9 at every fault point of the launcher and at random times: what is left? SEED= for other times.
crash:
	scripts/setup.sh build unit lab
	$(MAKE) $(JOBS) build-tests
	tests/crash/run.sh

demo:
	scripts/setup.sh build unit lab
	$(MAKE) $(JOBS) all $(O)/tests/plan-flip $(O)/tests/https-post
	scripts/demo.sh

# The suite of a confidential guest on this machine's own hardware; elsewhere a line that says why not.
check-snp check-tdx:
	scripts/setup.sh build unit
	$(MAKE) $(JOBS) all $(O)/tests/plan-flip
	tests/hardware/check.sh $(@:check-%=%)

# What `pavise measure snp` and `pavise measure tdx` predict against what the processor of a launch reports.
launch-matrix:
	scripts/setup.sh build unit
	$(MAKE) $(JOBS) all $(O)/tests/launch-matrix $(O)/tests/plan-flip $(EXTRA_TESTS)
	$(O)/tests/launch-matrix

# Is every check of a verdict guarded by a test that fails without it?
check-mutants: $(addprefix $(O)/mute/,$(ATTEST_TESTS))
	tests/mutate_checks.py $(addprefix $(O)/mute/,$(ATTEST_TESTS))

# Would the tests see a wrong launch? Each call, constant and flag of a confidential backend, changed
# on a copy, one at a time.
MUTATED := $(addprefix vmm/tee/,snp.c snp_launch.c snp_exits.c tdx.c tdx_launch.c tdx_exits.c tdx_quote.c \
	private_exits.c private_memory.c)
MUTATED_TESTS := $(addprefix $(O)/tests/test_,snp_launch snp_id_block snp_exits snp_certs private_memory \
	tdx_vmm_launch tdx_vmm_retry tdx_vmm_cpuid tdx_vmm_exits tdx_vmm_quote)
mutants:
	scripts/setup.sh build unit
	$(MAKE) $(JOBS) $(MUTATED_TESTS)
	tests/mutate_tee.py --accepted tests/mutants.accepted $(addprefix --test ,$(MUTATED_TESTS)) $(MUTATED)

# The keys of a policy in docs/: its schema, and their list in PROTOCOL.policy.
policy-docs: $(O)/tests/policy_docs
	tests/unit/policy.py --write

fresh:
	scripts/setup.sh fresh
	scripts/fresh.sh

reproduce:
	scripts/setup.sh build
	scripts/reproduce.sh

FUZZ_SECONDS ?= 60
fuzz:
	scripts/setup.sh build unit
	$(MAKE) fuzzers
	tests/fuzz/run.sh $(FUZZ_SECONDS) $(FUZZERS)

# The verifier's, from the committed seeds alone, each with a floor of what it has to reach.
fuzz-smoke:
	scripts/setup.sh build unit
	$(MAKE) $(addprefix $(O)/fuzz/,$(ATTEST_FUZZERS))
	tests/fuzz/smoke.sh $(FUZZ_SECONDS) $(ATTEST_FUZZERS)

# Would they find a bug? Each once more, with one check of its parser removed.
fuzz-planted:
	scripts/setup.sh build unit
	$(MAKE) $(addprefix $(O)/fuzz/,$(ATTEST_FUZZERS))
	MAKE='$(MAKE)' tests/fuzz/planted.sh 60 $(ATTEST_FUZZERS)

# ---- checks of the code itself ------------------------------------------------------------

C_FILES := $(shell git ls-files '*.c' '*.h' 2>/dev/null)
FIRMWARE_C = $(filter firmware/%.c,$(C_FILES))
GUEST_C = $(filter tests/guests/%.c tests/model/guests/%.c,$(C_FILES))

# A starting point for new code. Tables aligned by hand are better left alone: look at the result
# with `git diff` before it is kept.
format:
	scripts/setup.sh lint
	clang-format -i $(C_FILES)
	@echo "format: $$(git diff --name-only | wc -l) files differ from what is committed"

# The scripts that feed the programs files. Not among them: attestd.py, whose programs the kernel's
# filters hold, and library.py, whose users link without a sanitizer and look for its symbols.
FILE_SCRIPTS = $(filter-out tests/unit/attestd.py tests/unit/library.py,$(filter tests/unit/%.py,$(UNIT_SCRIPTS)))

# Address and undefined-behaviour sanitizers: the cmocka tests and these scripts. A static-pie
# program cannot carry them, nor can the kernel's filters bear them.
asan:
	scripts/setup.sh build unit
	$(MAKE) O=$(O)/asan CC=gcc OPT='-O1 -g' STATIC=-pie HARDEN='-fPIE' \
		SANITIZE='-fsanitize=address,undefined -fno-sanitize-recover=undefined' \
		CPPFLAGS='-I. -I$(O)/asan/gen -D_GNU_SOURCE' build-tests
	PAVISE_BUILD=$(abspath $(O))/asan $(RUN_TESTS) --tier asan $(addprefix $(O)/asan/tests/,$(TESTS)) \
		$(FILE_SCRIPTS)
	@echo "asan: clean"

lint:
	scripts/setup.sh build lint
	$(MAKE) lint-shell lint-cppcheck lint-tidy lint-analyzer
	@echo "lint: clean"

# guest-init is run by busybox's sh, whose language is dash's.
lint-shell:
	@echo "lint: shellcheck"
	$(Q)shellcheck -x $(shell git ls-files '*.sh') .ci/run tests/lab/lab-init
	$(Q)shellcheck -x -s dash tests/lab/guest-init

lint-cppcheck: $(GENERATED)
	@echo "lint: cppcheck"
	$(Q)cppcheck -q --std=c11 --error-exitcode=1 --inline-suppr --enable=warning,portability \
		--suppress=missingIncludeSystem -I. -I$(O)/gen $(filter %.c,$(C_FILES))

# One file a process: clang-tidy 14 takes a va_list of the second file for uninitialised. -Iattest:
# tests/tools/library_user.c includes the library's header as if it were installed.
TIDY = clang-tidy --quiet --warnings-as-errors='*'
TIDY_FLAGS = -std=gnu17 -I. -Iattest -I$(O)/gen -D_GNU_SOURCE -DPAVISE_VERSION=__DATE__
define tidy
	$(Q)printf '%s\n' $(1) | xargs -P 2 -I FILE sh -c \
		'out=$$($(TIDY) FILE -- $(TIDY_FLAGS) $(2) 2>&1) || { echo "$$out"; exit 1; }'
endef
lint-tidy: $(GENERATED)
	@echo "lint: clang-tidy (some minutes)"
	$(call tidy,$(filter-out $(FIRMWARE_C) $(GUEST_C),$(filter %.c,$(C_FILES))))
	$(call tidy,$(GUEST_C),-ffreestanding -mgeneral-regs-only)
	$(call tidy,$(FIRMWARE_C),-ffreestanding -mgeneral-regs-only -DVARIANT=VARIANT_PLAIN)
	$(call tidy,$(FIRMWARE_C),-ffreestanding -mgeneral-regs-only -DVARIANT=VARIANT_SNP)
	$(call tidy,$(FIRMWARE_C),-ffreestanding -mgeneral-regs-only -DVARIANT=VARIANT_TDX)

lint-analyzer:
	@echo "lint: gcc -fanalyzer"
	$(Q)$(MAKE) O=$(O)/analyzer OPT='-O1 -fanalyzer' all

valgrind:
	scripts/setup.sh build unit lint
	$(MAKE) $(JOBS) build-tests
	tests/valgrind.sh $(addprefix $(O)/tests/,$(TESTS))

# Lines that the cmocka tests reach, and the scripts that feed programs files; fails when a parser of
# the verifier, or one of its folders, stays below 90 % (tests/coverage.py). Counters of an earlier
# run are thrown away; a process that has sealed itself cannot write its own. Without optimisation
# gcc guesses at what is uninitialised: those warnings are no errors here.
# Not those of the network side, nor those that build anew with the library.
COVERAGE_SCRIPTS = $(filter-out tests/unit/attestd.py tests/unit/library.py,$(filter tests/unit/%.py,$(UNIT_SCRIPTS)))
coverage:
	scripts/setup.sh build unit lint
	$(MAKE) O=$(O)/coverage OPT='-O0 -g --coverage' HARDEN='-fPIE -Wno-error' STATIC=-pie build-tests
	find $(O)/coverage -name '*.gcda' -delete
	PAVISE_BUILD=$(abspath $(O))/coverage $(RUN_TESTS) --tier coverage \
		$(addprefix $(O)/coverage/tests/,$(TESTS)) $(COVERAGE_SCRIPTS)
	lcov -q -c -d $(O)/coverage -o $(O)/coverage/all.info
	lcov -q -r $(O)/coverage/all.info '*/tests/*' '/usr/*' -o $(O)/coverage/pavise.info
	lcov --summary $(O)/coverage/pavise.info
	tests/coverage.py $(O)/coverage/pavise.info
	@echo "coverage: $(O)/coverage/pavise.info; genhtml makes pages of it"

# What the verifier costs, as ratios; no part of make check.
bench:
	scripts/setup.sh build unit
	$(MAKE) $(addprefix $(O)/tests/,bench-verify bench-measure peak-memory snp_files tdx_files) \
		$(O)/bin/pavise-verify
	tests/bench/run.sh

# Boot of a stock kernel beside QEMU's microvm, in the lab; ROUNDS=3 boots of each.
bench-boot:
	scripts/setup.sh build unit lab
	$(MAKE) $(JOBS) all $(O)/tests/boot-time
	tests/bench/boot/bench.sh

# ---- installation -------------------------------------------------------------------------

PREFIX ?= /usr/local
INSTALLED = $(filter-out pavise pavise-agent pavise-agent-sim,$(PROGS))

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/libexec/pavise \
		$(DESTDIR)$(PREFIX)/share/pavise $(DESTDIR)$(PREFIX)/share/man/man1
	install $(O)/bin/pavise $(DESTDIR)$(PREFIX)/bin
	install $(addprefix $(O)/bin/,$(INSTALLED)) $(DESTDIR)$(PREFIX)/libexec/pavise
	install -m 644 $(O)/firmware/pavise-fw-plain.bin $(O)/firmware/pavise-fw-snp.bin $(O)/firmware/pavise-fw-tdx.bin \
		policy/selinux/pavise.cil $(DESTDIR)$(PREFIX)/share/pavise
	install -d $(DESTDIR)$(PREFIX)/lib/pkgconfig $(DESTDIR)$(PREFIX)/include
	install -m 644 $(ATTEST_SO) $(O)/lib/static/libpavise-attest.a $(DESTDIR)$(PREFIX)/lib
	ln -sf $(notdir $(ATTEST_SO)) $(DESTDIR)$(PREFIX)/lib/libpavise-attest.so
	install -m 644 attest/pavise-attest.h $(DESTDIR)$(PREFIX)/include
	sed 's|@PREFIX@|$(PREFIX)|; s|@VERSION@|$(VERSION)|' attest/pavise-attest.pc.in >$(DESTDIR)$(PREFIX)/lib/pkgconfig/pavise-attest.pc
	install -m 644 docs/man/pavise.1 $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 644 $(addprefix policy/selinux/pavise-,sim.cil attestd.cil audit.cil) $(DESTDIR)$(PREFIX)/share/pavise

clean:
	rm -rf $(O)

help:
	@echo 'make             build every program and the firmware into $(O)/'
	@echo 'make demo        set up, build, show SEV-SNP and TDX guests on the platform model (NONCE=, SEED=)'
	@echo 'make check       set up, build, run every test tier this machine can run'
	@echo 'make escape      what a taken-over process may try, in the lab, layer by layer: who stops it?'
	@echo 'make crash       kill -9 at every fault point of the launcher and at random times: what is left? (SEED=)'
	@echo 'make check-unit, check-kvm, check-lab     one tier'
	@echo 'make check-snp, check-tdx   the suite on real hardware (docs/hardware.md); elsewhere: why not'
	@echo 'make launch-matrix   predictions against launches (simulated SEV-SNP and TDX)'
	@echo 'make policy      compile the SELinux policy; policy-install, policy-uninstall: into this host (POLICY_STORE=)'
	@echo 'make fresh       build and unit tests in a bare Debian of its own'
	@echo 'make check-mutants  every check of a verdict has a test that fails without it'
	@echo 'make mutants     changes to the steps and exits of SEV-SNP and TDX guests have tests that see them (minutes)'
	@echo 'make policy-docs the documents of a policy'\''s keys, from the code'
	@echo 'make reproduce   two builds of the firmware, compared'
	@echo 'make fuzz        every fuzzer for FUZZ_SECONDS=60'
	@echo 'make fuzz-smoke  the verifier'\''s, with floors of coverage; fuzz-planted: do they find bugs?'
	@echo 'make bench       what a verification costs beside its bare signatures'
	@echo 'make bench-boot  boot of a stock kernel in the lab beside QEMU microvm (ROUNDS=3)'
	@echo 'make asan, lint, valgrind, coverage, format'
	@echo 'make install     PREFIX=/usr/local DESTDIR='

.PHONY: all build-tests fuzzers check check-unit check-kvm check-lab check-snp check-tdx escape crash demo launch-matrix check-mutants mutants policy-docs fresh \
	reproduce fuzz fuzz-smoke fuzz-planted format asan lint lint-shell lint-cppcheck lint-analyzer lint-tidy valgrind \
	coverage bench bench-boot install clean help
.DELETE_ON_ERROR:
.SECONDARY:
