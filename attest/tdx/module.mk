# Quotes of Intel TDX guests: their form, their certificates, what the platform says of itself.
TDX_QUOTE_SRCS := attest/tdx/quote.c attest/tdx/p256.c attest/tdx/qe_report.c attest/tdx/chain.c \
                  attest/tdx/roots.c attest/tdx/pck.c attest/tdx/tdreport.c
ATTEST_LIB_SRCS += $(TDX_QUOTE_SRCS)

# What Intel says of platforms: TCB info, the quoting enclave's identity, and the two compared.
TDX_TCB_SRCS := attest/tdx/signed_json.c attest/tdx/tcb_info.c attest/tdx/qe_identity.c \
                attest/tdx/tcb_match.c
ATTEST_LIB_SRCS += $(TDX_TCB_SRCS)

TDX_TCB_NEEDS := $(TDX_TCB_SRCS) attest/tdx/p256.c attest/x509/when.c common/json.c common/err.c \
                 common/bytes.c

TESTS += test_tdx_tcb
test_tdx_tcb_SRCS := tests/unit/test_tdx_tcb.c tests/unit/fake_tcb.c tests/unit/vectors.c \
                     $(TDX_TCB_NEEDS) common/file.c
test_tdx_tcb_LIBS := -lcmocka -ljansson -lcrypto

FUZZERS += fuzz_tcb_info fuzz_qe_identity
fuzz_tcb_info_SRCS := tests/fuzz/fuzz_tcb_info.c $(TDX_TCB_NEEDS)
fuzz_tcb_info_LIBS := -ljansson -lcrypto
fuzz_qe_identity_SRCS := tests/fuzz/fuzz_qe_identity.c $(TDX_TCB_NEEDS)
fuzz_qe_identity_LIBS := -ljansson -lcrypto
