/* Intel's signed answers: {"tcbInfo": {…}, "signature": "hex"} and {"enclaveIdentity": {…}, …}
 * (Provisioning Certification Service for ECDSA Attestation, "Get TDX TCB Info", "Get QE
 * Identity"). The signature covers the value's text as it came, so that text is cut out, never
 * written anew. */
#ifndef PAVISE_ATTEST_TDX_SIGNED_JSON_H
#define PAVISE_ATTEST_TDX_SIGNED_JSON_H

#include "common/err.h"

#include <openssl/evp.h>
#include <stddef.h>
#include <stdint.h>

#define SIGNED_JSON_MAX (1u << 20) /* bytes of an answer */

struct signed_json {
	const char *body;      /* borrowed: the value of the key, from its '{' to its '}' */
	size_t body_size;      /* bytes */
	uint8_t signature[64]; /* r, s, big endian */
};

/* Cuts an answer with exactly the keys `key` (an object) and "signature" (128 hexadecimal digits),
 * in any order. Says nothing of what stands inside the object but that its brackets match.
 * -EX_MALFORMED. */
int signed_json_split(const char *object, const char *text, size_t size, const char *key,
		      struct signed_json *out, struct err *e);

/* Does the signature hold over the body under a key of P-256? 0, -EX_UNAUTHENTIC. */
int signed_json_verify(const char *object, const struct signed_json *s, EVP_PKEY *key,
		       struct err *e);

#endif
