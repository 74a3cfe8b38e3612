/* An attestation key in any of the forms that files hold: TPMT_PUBLIC, TPM2B_PUBLIC,
 * SubjectPublicKeyInfo, X.509 certificate; the last two DER or PEM. Known by content. */
#ifndef PAVISE_ATTEST_TPM_KEY_H
#define PAVISE_ATTEST_TPM_KEY_H

#include "attest/tpm/quote.h"

#include <openssl/x509.h>
#include <time.h>

#define TPM_KEY_FILE_MAX 65536u /* bytes */
#define TPM_KEY_CERTS_MAX 8u

enum tpm_key_form { TPM_KEY_AREA, TPM_KEY_SPKI, TPM_KEY_CERTIFICATE };

struct tpm_key {
	enum tpm_key_form form;
	struct tpm_public area;	 /* TPM_KEY_AREA */
	EVP_PKEY *key;		 /* owned */
	STACK_OF(X509) * certs;	 /* owned; TPM_KEY_CERTIFICATE: its own first, then issuers */
	uint8_t area_sha256[32]; /* of TPMT_PUBLIC; TPM_KEY_AREA only */
	uint8_t spki_sha256[32]; /* of the DER of SubjectPublicKeyInfo */
};

/* -EX_MALFORMED: none of the forms, or a key that libcrypto refuses. The caller calls tpm_key_free,
 * also after a failure. */
int tpm_key_parse(const uint8_t *data, size_t size, struct tpm_key *out, struct err *e);
/* As tpm_key_parse, a TPMT_PUBLIC and nothing else. */
int tpm_key_parse_area(const uint8_t *data, size_t size, struct tpm_key *out, struct err *e);
void tpm_key_free(struct tpm_key *k);

/* May this key's signature vouch for a quote, as far as its form tells? -EX_UNAUTHENTIC. */
int tpm_key_check(const struct tpm_key *k, struct err *e);

/* Certificates, PEM (one after the other) or one in DER, at most TPM_KEY_CERTS_MAX; appended to
 * list. -EX_MALFORMED. */
int tpm_certs_parse(const char *what, const uint8_t *data, size_t size, STACK_OF(X509) * list,
		    struct err *e);

/* Does a chain through untrusted lead from a certificate of this key to root, all of them valid at
 * `now`? The certificate is the key's own, or one of untrusted that holds the same key.
 * -EX_COLLATERAL: no certificate of the key, or one that is not valid at that time;
 * -EX_UNAUTHENTIC: no such chain. untrusted may be NULL. */
int tpm_key_chain(const struct tpm_key *k, STACK_OF(X509) * untrusted, X509 *root, time_t now,
		  struct err *e);

#endif
