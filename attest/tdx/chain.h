/* The certificates inside a quote: PCK (leaf), PCK Platform or Processor CA, Intel SGX Root CA
 * (Intel SGX PCK Certificate and CRL Profile Specification). */
#ifndef PAVISE_ATTEST_TDX_CHAIN_H
#define PAVISE_ATTEST_TDX_CHAIN_H

#include "attest/x509/cert_cache.h"
#include "common/err.h"

#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tdx_role { TDX_ROLE_PCK, TDX_ROLE_CA, TDX_ROLE_ROOT, TDX_ROLES };

/* Owned; tdx_chain_free. */
struct tdx_chain {
	X509 *cert[TDX_ROLES];
	struct cert_cache *cache; /* borrowed; NULL: none */
};

/* "PCK certificate", "PCK CA", "root CA". */
const char *tdx_role_name(enum tdx_role role);

/* Takes the three certificates, PEM or DER, in the order in which quotes have them.
 * cache: of certificates, outlives the chain; NULL: none. -EX_MALFORMED. */
int tdx_chain_parse(const uint8_t *data, size_t size, struct cert_cache *cache,
		    struct tdx_chain *out, struct err *e);
void tdx_chain_free(struct tdx_chain *c);

/* Is the certificate of this role issued by the one above it (the root by itself), has it a key of
 * P-256, and is it of no other use than its role is? -EX_UNAUTHENTIC. */
int tdx_chain_check_link(const struct tdx_chain *c, enum tdx_role role, struct err *e);

/* Is this the key of Intel's SGX root CA, by its SHA-384 (cert_key_digest)? (roots.c) */
bool tdx_root_is_intel(const uint8_t digest[48]);

#endif
