# The escape suite (README.md). Programs of its own, with objects of their own: only these are built with
# switches for the layers (sandbox/layers.h); the Makefile has the rules.
ESCAPE_PAYLOAD_SRCS := $(addprefix tests/escape/,payload.c try_all.c seal_as.c target.c layers.c victim.c \
	bystander.c print_filter.c files.c proc.c processes.c exec.c memory.c sockets.c namespaces.c privileges.c kernel.c \
	devices.c kvm.c labels.c limits.c passing.c pcr0.c others.c) sandbox/lsm.c common/seal.c common/record.c common/err.c
ESCAPE_LAUNCH_SRCS = $(pavise-launch_SRCS) tests/escape/launcher.c tests/escape/layers.c
EXTRA_TESTS += $(O)/tests/escape/pavise-launch-layers $(O)/tests/escape/payload
LAB_SCRIPTS += tests/escape/test_escape.sh
UNIT_SCRIPTS += tests/escape/test_layers.sh tests/escape/test_matrix.py
