PROGS += pavise
pavise_SRCS := cli/main.c common/err_report.c common/err.c
CFLAGS_cli_main := -DPAVISE_VERSION='"$(VERSION)"'

PROGS += pavise-run pavise-stop
pavise-run_SRCS := cli/run.c common/err_report.c \
                   cli/command.c cli/command_tee.c cli/platform.c cli/relay.c attest/measure/size.c common/err.c
CONTROL_CLIENT_SRCS := cli/control_client.c common/fdpass.c sandbox/names.c common/err.c
pavise-stop_SRCS := cli/stop.c common/err_report.c $(CONTROL_CLIENT_SRCS)

PROGS += pavise-attest
pavise-attest_SRCS := cli/attest.c common/err_report.c \
                      attest/agent/answer.c attest/agent/wire.c common/isolation.c common/args.c common/bytes.c common/file.c \
                      common/json.c $(CONTROL_CLIENT_SRCS)
pavise-attest_LIBS := $(JANSSON_LIBS) $(CRYPTO_LIBS)

PROGS += pavise-attestd
pavise-attestd_SRCS := cli/attestd.c common/err_report.c \
                       cli/broker.c cli/front_start.c common/args.c common/seal.c \
                       sandbox/jail.c sandbox/jail_privileges.c sandbox/labels.c \
                       sandbox/lsm.c sandbox/mcs.c sandbox/procid.c \
                       $(CONTROL_CLIENT_SRCS)
pavise-attestd_LIBS := -lcap-ng -lselinux

PROGS += pavise-ls pavise-inspect
STATUS_SRCS := cli/status.c common/isolation.c common/json.c common/bytes.c
STATUS_ASK_SRCS := cli/status_ask.c $(STATUS_SRCS) $(CONTROL_CLIENT_SRCS) common/err_report.c
pavise-ls_SRCS := cli/ls.c $(STATUS_ASK_SRCS)
pavise-ls_LIBS := $(JANSSON_LIBS) $(CRYPTO_LIBS)
pavise-inspect_SRCS := cli/inspect.c $(STATUS_ASK_SRCS)
pavise-inspect_LIBS := $(JANSSON_LIBS) $(CRYPTO_LIBS)
UNIT_SCRIPTS += tests/unit/ls.py

FUZZERS += fuzz_status
fuzz_status_SRCS := tests/fuzz/fuzz_status.c $(STATUS_SRCS) common/err.c
fuzz_status_LIBS := $(JANSSON_LIBS) $(CRYPTO_LIBS)
