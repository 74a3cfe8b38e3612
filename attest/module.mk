BOOT_BLOCK_SRCS := common/boot_block.c
BINDING_SRCS := attest/binding.c

TESTS += test_binding
test_binding_SRCS := tests/unit/test_binding.c $(BINDING_SRCS) common/err.c common/bytes.c
test_binding_LIBS := -lcmocka -lcrypto
