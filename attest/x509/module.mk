# Certificates and revocation lists, whoever issued them.
ATTEST_LIB_SRCS += $(wildcard attest/x509/*.c)

$(eval $(call attest_test,test_x509,tests/unit/fake_x509.c $(VECTOR_SRCS)))
$(eval $(call attest_test,test_pem))
$(eval $(call attest_fuzzer,fuzz_crl))
$(eval $(call attest_fuzzer,fuzz_pem))
