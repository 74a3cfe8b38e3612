# Certificates and revocation lists, whoever issued them.
X509_SRCS := attest/x509/cert.c attest/x509/crl.c attest/x509/signed_by.c attest/x509/when.c
ATTEST_LIB_SRCS += $(X509_SRCS)

TESTS += test_x509
test_x509_SRCS := tests/unit/test_x509.c tests/unit/fake_x509.c tests/unit/vectors.c $(X509_SRCS) \
                  common/err.c common/bytes.c common/file.c common/json.c
test_x509_LIBS := -lcmocka -ljansson -lcrypto

FUZZERS += fuzz_crl
fuzz_crl_SRCS := tests/fuzz/fuzz_crl.c $(X509_SRCS) common/err.c common/bytes.c
fuzz_crl_LIBS := -lcrypto
