COMMON_SRCS := common/err.c common/bytes.c common/args.c common/file.c common/fdpass.c \
               common/record.c common/plan.c common/start_state.c common/stop_text.c \
               common/snp_term.c common/err_report.c
COMMON_JSON_SRCS := common/json.c
JANSSON_LIBS := -ljansson
CRYPTO_LIBS := -lcrypto

TESTS += test_common
test_common_SRCS := tests/unit/test_common.c $(COMMON_SRCS) $(COMMON_JSON_SRCS)
test_common_LIBS := -lcmocka $(JANSSON_LIBS) $(CRYPTO_LIBS)

TESTS += test_plan_snp
test_plan_snp_SRCS := tests/unit/test_plan_snp.c $(COMMON_SRCS)
test_plan_snp_LIBS := -lcmocka
TESTS += test_plan_tdx
test_plan_tdx_SRCS := tests/unit/test_plan_tdx.c $(COMMON_SRCS)
test_plan_tdx_LIBS := -lcmocka
