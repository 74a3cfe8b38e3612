# The rows and what judges them; host.c is this host, which tests replace.
DOCTOR_SRCS := cli/doctor/finding.c cli/doctor/probe_kvm.c cli/doctor/probe_host.c \
	cli/doctor/probe_selinux.c cli/doctor/probe_snp.c cli/doctor/probe_tdx.c \
	cli/doctor/table.c cli/doctor/report.c common/err.c

PROGS += pavise-doctor
pavise-doctor_SRCS := cli/doctor/main.c cli/doctor/host.c cli/doctor/version.c $(DOCTOR_SRCS) \
	common/err_report.c sandbox/labels.c sandbox/labels_check.c sandbox/lsm.c sandbox/mcs.c sandbox/procid.c
pavise-doctor_LIBS := $(JANSSON_LIBS) -lselinux

TESTS += test_doctor
test_doctor_SRCS := tests/unit/test_doctor.c tests/unit/fake_host.c $(DOCTOR_SRCS)
test_doctor_LIBS := -lcmocka $(JANSSON_LIBS)
UNIT_SCRIPTS += tests/unit/doctor.py
