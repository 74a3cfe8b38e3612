# The launcher of the escape suite, with objects of its own: only these have switches for the layers
# (sandbox/layers.h); the Makefile has the rules.
ESCAPE_LAUNCH_SRCS = $(pavise-launch_SRCS) tests/escape/launcher.c tests/escape/layers.c
EXTRA_TESTS += $(O)/tests/escape/pavise-launch-layers
UNIT_SCRIPTS += tests/escape/test_layers.sh
