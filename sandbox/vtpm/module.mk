# The launcher links VTPM_SRCS and VTPM_LIBS, dynamically: tpm2-tss has no static archive.
VTPM_SRCS := sandbox/vtpm/vtpm.c sandbox/vtpm/tpm.c sandbox/vtpm/tcti_fd.c sandbox/vtpm/control.c \
             sandbox/vtpm/channel.c
VTPM_LIBS := -ltss2-sys -ltss2-mu -ltss2-rc $(CRYPTO_LIBS)
pavise-launch_LIBS += $(VTPM_LIBS)

TESTS += test_vtpm test_vtpm_peers
test_vtpm_SRCS := tests/unit/test_vtpm.c $(VTPM_SRCS) common/err.c common/bytes.c
test_vtpm_LIBS := -lcmocka $(VTPM_LIBS)
test_vtpm_peers_SRCS := tests/unit/test_vtpm_peers.c $(VTPM_SRCS) common/err.c common/bytes.c
test_vtpm_peers_LIBS := -lcmocka -lpthread $(VTPM_LIBS)

FUZZERS += fuzz_vtpm
fuzz_vtpm_SRCS := tests/fuzz/fuzz_vtpm.c $(filter-out sandbox/vtpm/channel.c,$(VTPM_SRCS)) \
                  common/err.c common/bytes.c
fuzz_vtpm_LIBS := $(VTPM_LIBS)
