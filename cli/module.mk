PROGS += pavise
pavise_SRCS := cli/main.c common/err.c
CFLAGS_cli_main := -DPAVISE_VERSION='"$(VERSION)"'
