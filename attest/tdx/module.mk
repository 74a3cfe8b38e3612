# Quotes of Intel TDX guests: their form, their certificates, what the platform says of itself.
TDX_QUOTE_SRCS := attest/tdx/quote.c attest/tdx/p256.c attest/tdx/qe_report.c attest/tdx/chain.c \
                  attest/tdx/roots.c attest/tdx/pck.c attest/tdx/tdreport.c
ATTEST_LIB_SRCS += $(TDX_QUOTE_SRCS)

# What Intel says of platforms: TCB info, the quoting enclave's identity, and the two compared.
ATTEST_LIB_SRCS += attest/tdx/signed_json.c attest/tdx/tcb_info.c attest/tdx/qe_identity.c \
                   attest/tdx/tcb_match.c

$(eval $(call attest_test,test_tdx_tcb,tests/unit/fake_tcb.c model/tdx_sim/ecdsa.c))
$(eval $(call attest_test,test_tdx_tcb_match,tests/unit/fake_tcb.c model/tdx_sim/ecdsa.c $(VECTOR_SRCS)))
$(eval $(call attest_fuzzer,fuzz_tcb_info))
$(eval $(call attest_fuzzer,fuzz_qe_identity))

# A platform and its quotes, made in the test.
TDX_JUDGE_SRCS := tests/unit/tdx_judge.c tests/unit/fake_tdx.c model/tdx_sim/ecdsa.c
$(eval $(call attest_test,test_tdx_quote,$(TDX_JUDGE_SRCS)))
$(eval $(call attest_test,test_tdx_chain,$(TDX_JUDGE_SRCS)))
$(eval $(call attest_test,test_tdx_guest,$(TDX_JUDGE_SRCS)))
$(eval $(call attest_test,test_tdx_platform,$(TDX_JUDGE_SRCS) tests/unit/fake_tcb.c))
$(eval $(call attest_test,test_tdx_report,$(VECTOR_SRCS)))
$(eval $(call attest_test,test_tdx_vectors,$(VECTOR_SRCS)))
$(eval $(call attest_test,test_tdx_requests,$(TDX_JUDGE_SRCS) $(VECTOR_SRCS)))

$(eval $(call attest_fuzzer,fuzz_tdx_quote))
$(eval $(call attest_fuzzer,fuzz_tdreport))
$(eval $(call attest_fuzzer,fuzz_pck))

# Quotes of a made-up platform: the seeds of these.
TOOLS += tdx_files
tdx_files_SRCS := tests/tools/tdx_files.c common/err_report.c tests/unit/fake_tdx.c model/tdx_sim/ecdsa.c \
                  common/file.c
tdx_files_LIBS := $(ATTEST_LIB_LIBS)
UNIT_SCRIPTS += tests/unit/verify_tdx.py
