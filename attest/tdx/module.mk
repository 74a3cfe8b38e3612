# Quotes of Intel TDX guests: their form, their certificates, what the platform says of itself.
TDX_QUOTE_SRCS := attest/tdx/quote.c attest/tdx/p256.c attest/tdx/qe_report.c attest/tdx/chain.c \
                  attest/tdx/roots.c attest/tdx/pck.c attest/tdx/tdreport.c
ATTEST_LIB_SRCS += $(TDX_QUOTE_SRCS)

# What Intel says of platforms: TCB info, the quoting enclave's identity, and the two compared.
ATTEST_LIB_SRCS += attest/tdx/signed_json.c attest/tdx/tcb_info.c attest/tdx/qe_identity.c \
                   attest/tdx/tcb_match.c

$(eval $(call attest_test,test_tdx_tcb,tests/unit/fake_tcb.c $(VECTOR_SRCS)))
$(eval $(call attest_fuzzer,fuzz_tcb_info))
$(eval $(call attest_fuzzer,fuzz_qe_identity))
