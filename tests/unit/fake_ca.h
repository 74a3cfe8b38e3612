/* A certificate authority for tests: a root, an issuer below it, certificates of given keys. */
#ifndef PAVISE_TESTS_UNIT_FAKE_CA_H
#define PAVISE_TESTS_UNIT_FAKE_CA_H

#include <openssl/x509.h>
#include <time.h>

#define FAKE_CA_FROM ((time_t)1767225600)  /* 2026-01-01T00:00:00Z */
#define FAKE_CA_UNTIL ((time_t)1798761600) /* 2027-01-01T00:00:00Z */
#define FAKE_CA_NOW ((time_t)1783000000)   /* between them */

struct fake_ca {
	EVP_PKEY *root_key, *issuer_key;
	X509 *root, *issuer;
};

void fake_ca_make(struct fake_ca *ca);
void fake_ca_free(struct fake_ca *ca);

/* A certificate of key, signed by the issuer; the caller's. */
X509 *fake_ca_certify(const struct fake_ca *ca, EVP_PKEY *key);

#endif
