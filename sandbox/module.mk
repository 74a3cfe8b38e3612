SANDBOX_MCS_SRCS := sandbox/mcs.c sandbox/procid.c
PROC_STATE_SRCS := sandbox/proc_state.c sandbox/procid.c
SANDBOX_DISK_SRCS := sandbox/disk.c sandbox/labels.c sandbox/lsm.c $(SANDBOX_MCS_SRCS)
SANDBOX_RECLAIM_SRCS := sandbox/rundir.c sandbox/reclaim.c sandbox/leftover.c sandbox/disk_record.c \
	sandbox/records_dead.c sandbox/records_text.c \
	$(SANDBOX_DISK_SRCS)
MANIFEST_SRCS := sandbox/manifest.c sandbox/fd_facts.c sandbox/proc_state.c

PROGS += pavise-launch
# VTPM_SRCS, JANSSON_LIBS: of module.mk files that are read later
pavise-launch_SRCS = sandbox/launch.c sandbox/options.c sandbox/options_tee.c sandbox/names.c
pavise-launch_SRCS += sandbox/vm_prepare.c sandbox/vm_start.c sandbox/vm_platform.c sandbox/vm_supervise.c sandbox/vm_teardown.c
pavise-launch_SRCS += sandbox/vm_check.c sandbox/vm_manifest.c $(MANIFEST_SRCS)
pavise-launch_SRCS += sandbox/order.c sandbox/child.c sandbox/jail.c sandbox/jail_privileges.c sandbox/memfds.c sandbox/timings.c
pavise-launch_SRCS += $(SANDBOX_RECLAIM_SRCS) sandbox/labels_check.c sandbox/watch.c
pavise-launch_SRCS += sandbox/records.c sandbox/control.c sandbox/describe.c common/isolation.c
pavise-launch_SRCS += $(VTPM_SRCS) $(COMMON_SRCS)
pavise-launch_LIBS = -lselinux -lcap-ng -laudit $(JANSSON_LIBS)

# Stand-ins for the launcher's tests, in a folder of their own: they bear the real ones' names.
TEST_LIBEXEC := $(O)/tests/libexec
DUMMY_SRCS := tests/sandbox/dummy_child.c tests/sandbox/mistakes.c sandbox/lsm.c common/record.c \
	common/seal.c common/err.c
TOOLS += libexec/pavise-vmm libexec/pavise-dev mkplan lab_probe
lab_probe_SRCS = tests/sandbox/lab_probe.c $(SANDBOX_CGROUP_SRCS) $(SANDBOX_MCS_SRCS) sandbox/lsm.c common/err.c
lab_probe_LINK := $(STATIC)
libexec/pavise-vmm_SRCS := $(DUMMY_SRCS)
libexec/pavise-vmm_LINK := $(STATIC)
libexec/pavise-dev_SRCS := $(DUMMY_SRCS)
libexec/pavise-dev_LINK := $(STATIC)
mkplan_SRCS := tests/sandbox/mkplan.c common/plan.c common/bytes.c common/file.c common/err.c

TESTS += test_disk
test_disk_SRCS := tests/unit/test_disk.c $(SANDBOX_DISK_SRCS) common/err.c
test_disk_LIBS := -lcmocka -lselinux

TESTS += test_disk_record
test_disk_record_SRCS := tests/unit/test_disk_record.c sandbox/disk_record.c $(SANDBOX_DISK_SRCS) \
	common/err.c
test_disk_record_LIBS := -lcmocka -lselinux
FUZZERS += fuzz_disk_record
fuzz_disk_record_SRCS := tests/fuzz/fuzz_disk_record.c sandbox/disk_record.c $(SANDBOX_DISK_SRCS) \
	common/err.c
fuzz_disk_record_LIBS := -lselinux

TESTS += test_reclaim
test_reclaim_SRCS = tests/unit/test_reclaim.c $(SANDBOX_RECLAIM_SRCS) $(SANDBOX_CGROUP_SRCS) common/err.c
test_reclaim_LIBS := -lcmocka -lselinux -laudit

TESTS += test_names
test_names_SRCS := tests/unit/test_names.c sandbox/names.c common/err.c
test_names_LIBS := -lcmocka

TESTS += test_mcs
test_mcs_SRCS := tests/unit/test_mcs.c $(SANDBOX_MCS_SRCS) common/err.c
test_mcs_LIBS := -lcmocka
pavise-launch_SRCS += sandbox/core_sched.c
TESTS += test_core_sched
test_core_sched_SRCS := tests/unit/test_core_sched.c sandbox/core_sched.c common/err.c
test_core_sched_LIBS := -lcmocka -Wl,--wrap=prctl

TESTS += test_records
test_records_SRCS := tests/unit/test_records.c sandbox/records_dead.c sandbox/records_text.c common/err.c
test_records_LIBS := -lcmocka -laudit

TESTS += test_watch
test_watch_SRCS := tests/unit/test_watch.c sandbox/watch.c sandbox/labels_check.c sandbox/labels.c sandbox/lsm.c \
	$(SANDBOX_MCS_SRCS) common/err.c
test_watch_LIBS := -lcmocka -lselinux

TESTS += test_proc_state
test_proc_state_SRCS := tests/unit/test_proc_state.c $(PROC_STATE_SRCS) common/err.c
test_proc_state_LIBS := -lcmocka
FUZZERS += fuzz_proc_status
fuzz_proc_status_SRCS := tests/fuzz/fuzz_proc_status.c $(PROC_STATE_SRCS) common/err.c
MANIFEST_PARSE_SRCS := sandbox/manifest_parse.c $(MANIFEST_SRCS) sandbox/mcs.c sandbox/procid.c sandbox/names.c \
	$(COMMON_JSON_SRCS) common/bytes.c common/err.c
MANIFEST_PARSE_LIBS := $(JANSSON_LIBS) $(CRYPTO_LIBS)

TESTS += test_manifest
test_manifest_SRCS := tests/unit/test_manifest.c $(MANIFEST_PARSE_SRCS)
test_manifest_LIBS := -lcmocka $(MANIFEST_PARSE_LIBS)
FUZZERS += fuzz_manifest
fuzz_manifest_SRCS := tests/fuzz/fuzz_manifest.c $(MANIFEST_PARSE_SRCS)
fuzz_manifest_LIBS := $(MANIFEST_PARSE_LIBS)
KVM_SCRIPTS += tests/unit/test_launch_cli.sh
LAB_SCRIPTS += tests/sandbox/test_isolation.sh
LAB_SCRIPTS += tests/sandbox/test_records.sh

SANDBOX_CGROUP_SRCS := sandbox/cgroup.c sandbox/cgroup_file.c sandbox/cgroup_limits.c
pavise-launch_SRCS += sandbox/vm_limits.c $(SANDBOX_CGROUP_SRCS)

TESTS += test_cgroup
test_cgroup_SRCS := tests/unit/test_cgroup.c $(SANDBOX_CGROUP_SRCS) common/err.c
test_cgroup_LIBS := -lcmocka
LAB_SCRIPTS += tests/sandbox/test_limits.sh
KVM_SCRIPTS += tests/unit/test_reclaim_cli.sh
LAB_SCRIPTS += tests/sandbox/test_images.sh
