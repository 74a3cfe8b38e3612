/* Which algorithm a signature must name, by the key that made it: libcrypto would take the one
 * that the signed object itself asks for. */
#ifndef PAVISE_ATTEST_X509_SIGNED_BY_H
#define PAVISE_ATTEST_X509_SIGNED_BY_H

#include "common/err.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

/* RSA of at least 3072 bits: RSASSA-PSS with SHA-384, MGF1 with SHA-384, salt of 48 bytes (AMD
 * 57230). EC P-256: ecdsa-with-SHA256 (Intel SGX PCK Certificate and CRL Profile). Every other key
 * is refused. inner is the algorithm that is signed along, outer the one beside the signature:
 * they must be the same. `what` names the object in texts. 0, -EX_UNAUTHENTIC. */
int signed_by_check(const char *what, const X509_ALGOR *inner, const X509_ALGOR *outer,
		    EVP_PKEY *key, struct err *e);

#endif
