PROGS += pavise
pavise_SRCS := cli/main.c common/err.c
CFLAGS_cli_main := -DPAVISE_VERSION='"$(VERSION)"'

PROGS += pavise-run pavise-stop
pavise-run_SRCS := cli/run.c common/args.c common/err.c
CONTROL_CLIENT_SRCS := cli/control_client.c common/fdpass.c sandbox/names.c common/err.c
pavise-stop_SRCS := cli/stop.c $(CONTROL_CLIENT_SRCS)
