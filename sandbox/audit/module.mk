# pavise-audit-live: `pavise audit vm` and `pavise audit host`.
# MANIFEST_PARSE_SRCS: sandbox/module.mk, read later
PROGS += pavise-audit-live
pavise-audit-live_SRCS = $(wildcard sandbox/audit/*.c) $(sort $(MANIFEST_PARSE_SRCS)) sandbox/labels.c sandbox/lsm.c \
	common/audit_report.c common/err_report.c
pavise-audit-live_LIBS = $(MANIFEST_PARSE_LIBS) -lselinux
