/* The certificates inside a quote: PCK (leaf), PCK Platform or Processor CA, Intel SGX Root CA
 * (Intel SGX PCK Certificate and CRL Profile Specification). */
#ifndef PAVISE_ATTEST_TDX_CHAIN_H
#define PAVISE_ATTEST_TDX_CHAIN_H

#include "common/err.h"

#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum tdx_role { TDX_ROLE_PCK, TDX_ROLE_CA, TDX_ROLE_ROOT, TDX_ROLES };

/* Owned; tdx_chain_free. */
struct tdx_chain {
	X509 *cert[TDX_ROLES];
};

/* "PCK certificate", "PCK CA", "root CA". */
const char *tdx_role_name(enum tdx_role role);

/* Takes the three certificates in the order in which quotes have them: PEM with nothing but white
 * space and NULs between and behind, or DER one after the other. -EX_MALFORMED. */
int tdx_chain_parse(const uint8_t *data, size_t size, struct tdx_chain *out, struct err *e);
void tdx_chain_free(struct tdx_chain *c);

/* Is the certificate of this role signed by the one above it (the root by itself), named as its
 * issuer, with ECDSA P-256 and SHA-256; may that one issue, and is it of no more use itself than
 * its role is? -EX_UNAUTHENTIC. */
int tdx_chain_check_link(const struct tdx_chain *c, enum tdx_role role, struct err *e);

/* Is the time within this certificate's validity? -EX_COLLATERAL. */
int tdx_chain_check_time(const struct tdx_chain *c, enum tdx_role role, time_t now, struct err *e);

/* SHA-384 of the DER SubjectPublicKeyInfo. 0, or -1 when libcrypto fails. */
int tdx_key_digest(const X509 *cert, uint8_t out[48]);

/* The common name, "" when there is not exactly one. */
void tdx_cert_name(const X509 *cert, char *out, size_t size);

/* Is this the key of Intel's SGX root CA? (roots.c) */
bool tdx_root_is_intel(const uint8_t digest[48]);

#endif
