# pavise-audit-live: `pavise audit vm` and `pavise audit host`.
# MANIFEST_PARSE_SRCS: sandbox/module.mk, read later
PROGS += pavise-audit-live
pavise-audit-live_SRCS = $(wildcard sandbox/audit/*.c) $(sort $(MANIFEST_PARSE_SRCS)) sandbox/labels.c sandbox/lsm.c \
	common/audit_report.c common/err_report.c
pavise-audit-live_LIBS = $(MANIFEST_PARSE_LIBS) -lselinux

# A launcher that lets go whoever says SEALED.
TOOLS += launch_unchecked
launch_unchecked_SRCS = tests/sandbox/launch_unchecked.c $(pavise-launch_SRCS)
launch_unchecked_LIBS = $(pavise-launch_LIBS) -Wl,--wrap=vm_check_sealed
KVM_SCRIPTS += tests/sandbox/audit_degraded.sh

TESTS += test_proc_text
test_proc_text_SRCS := tests/unit/test_proc_text.c sandbox/audit/proc_text.c
test_proc_text_LIBS := -lcmocka
FUZZERS += fuzz_proc_text
fuzz_proc_text_SRCS := tests/fuzz/fuzz_proc_text.c sandbox/audit/proc_text.c
LAB_SCRIPTS += tests/sandbox/test_audit_live.sh
