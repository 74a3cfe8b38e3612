# pavise-attest-front: the network side of pavise-attestd (cli/attestd.c).
FRONT_SRCS := attest/front/limits.c attest/front/tls.c attest/front/server.c \
              attest/front/fetch.c attest/front/api.c attest/agent/answer.c common/isolation.c attest/agent/wire.c

PROGS += pavise-attest-front
pavise-attest-front_SRCS := attest/front/main.c common/err_report.c \
                            $(FRONT_SRCS) common/args.c common/bytes.c \
                            common/err.c common/fdpass.c common/json.c common/seal.c
pavise-attest-front_LIBS := -levent_core -levent_extra -levent_openssl -lssl -ljansson -lcrypto

TESTS += test_front_limits test_answer
test_front_limits_SRCS := tests/unit/test_front_limits.c attest/front/limits.c
test_front_limits_LIBS := -lcmocka
test_answer_SRCS := tests/unit/test_answer.c attest/agent/answer.c common/isolation.c attest/agent/wire.c \
                    common/bytes.c common/err.c common/json.c
test_answer_LIBS := -lcmocka -ljansson -lcrypto

FUZZERS += fuzz_answer
fuzz_answer_SRCS := tests/fuzz/fuzz_answer.c attest/agent/answer.c common/isolation.c attest/agent/wire.c \
                    common/bytes.c common/err.c common/json.c
fuzz_answer_LIBS := -ljansson -lcrypto

UNIT_SCRIPTS += tests/unit/attestd.py
