WRAPPED_KEY_SRCS := attest/key/hpke.c attest/key/wrapped_key.c

TESTS += test_image_key
test_image_key_SRCS := tests/unit/test_image_key.c $(WRAPPED_KEY_SRCS) common/bytes.c common/err.c
test_image_key_LIBS := -lcmocka $(CRYPTO_LIBS)

FUZZERS += fuzz_wrapped_key
fuzz_wrapped_key_SRCS := tests/fuzz/fuzz_wrapped_key.c $(WRAPPED_KEY_SRCS) common/bytes.c common/err.c
fuzz_wrapped_key_LIBS := $(CRYPTO_LIBS)

TESTS += test_image_agent
test_image_agent_SRCS := tests/unit/test_image_agent.c attest/agent/data_key.c $(WRAPPED_KEY_SRCS) \
                         common/bytes.c common/err.c
test_image_agent_LIBS := -lcmocka $(CRYPTO_LIBS)
