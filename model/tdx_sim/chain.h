/* The simulated chain of keys, shaped like Intel's: root CA, below it PCK CA and PCK certificate,
 * and the certificate that signs collateral; marked in every name and by an extension that no
 * hardware certificate has. */
#ifndef PAVISE_MODEL_TDX_SIM_CHAIN_H
#define PAVISE_MODEL_TDX_SIM_CHAIN_H

#include "common/err.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stddef.h>
#include <stdint.h>

#define CHAIN_SIGNING_MAX 8192u

/* A new platform. tdx_chain_made_free. */
struct tdx_chain_made {
	uint8_t *pck_key, *signing_key; /* PKCS#8 DER */
	size_t pck_key_size, signing_key_size;
	char *certs; /* PEM: PCK certificate, PCK CA, root CA */
	size_t certs_size;
	char *signing; /* PEM: the signing certificate, the revocation lists of root and PCK CA */
	size_t signing_size;
};

/* The private keys of root and PCK CA end with this call: nobody can issue below this root again,
 * and so its revocation lists, which are empty, hold as long as its certificates. -EX_INTERNAL. */
int tdx_chain_make(struct tdx_chain_made *out, struct err *e);
void tdx_chain_made_free(struct tdx_chain_made *c);

/* The key of the PCK certificate, which must be the first in certs. EVP_PKEY_free. -EX_MALFORMED:
 * they do not belong together. */
int tdx_chain_load(const uint8_t *key, size_t key_size, const uint8_t *certs, size_t certs_size,
		   EVP_PKEY **pck, struct err *e);

/* The certificate at this place (from 0) of certs or signing; NULL: absent. The caller frees. */
X509 *tdx_chain_certificate(const void *pem, size_t size, unsigned place);
X509_CRL *tdx_chain_list(const void *pem, size_t size, unsigned place);
enum tdx_chain_place { TDX_CHAIN_PCK = 0, TDX_CHAIN_CA = 1, TDX_CHAIN_ROOT = 2 };

#endif
