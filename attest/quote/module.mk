# pavise-quote: the one process that speaks to the quote generation service.
QUOTE_SRCS := attest/quote/relay.c attest/quote/qgs.c attest/quote/service.c common/err.c \
              common/bytes.c common/record.c

PROGS += pavise-quote
pavise-quote_SRCS := attest/quote/main.c common/err_report.c $(QUOTE_SRCS) common/args.c common/seal.c
pavise-quote_LINK := $(STATIC)

TESTS += test_qgs test_quote_relay test_quote_process
test_qgs_SRCS := tests/unit/test_qgs.c attest/quote/qgs.c common/err.c common/bytes.c
test_qgs_LIBS := -lcmocka
test_quote_relay_SRCS := tests/unit/test_quote_relay.c tests/unit/quote_bench.c $(QUOTE_SRCS)
test_quote_relay_LIBS := -lcmocka
test_quote_process_SRCS := tests/unit/test_quote_process.c tests/unit/quote_bench.c $(QUOTE_SRCS)
test_quote_process_LIBS := -lcmocka

FUZZERS += fuzz_qgs_answer
fuzz_qgs_answer_SRCS := tests/fuzz/fuzz_qgs_answer.c attest/quote/qgs.c common/err.c common/bytes.c
