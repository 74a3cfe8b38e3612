# Static: it is all that a guest has at first.
PROGS += pavise-init
pavise-init_SRCS := guest/main.c guest/params.c guest/dm.c guest/root.c guest/data.c guest/modules.c \
                    common/args.c common/bytes.c common/err.c
pavise-init_LINK := $(STATIC)

FUZZERS += fuzz_guest_params
fuzz_guest_params_SRCS := tests/fuzz/fuzz_guest_params.c guest/params.c common/args.c common/bytes.c common/err.c

TESTS += test_image_params
test_image_params_SRCS := tests/unit/test_image_params.c guest/params.c common/args.c common/bytes.c common/err.c
test_image_params_LIBS := -lcmocka
