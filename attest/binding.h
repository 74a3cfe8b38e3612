/* What ties a piece of evidence together: one byte string over everything that must belong to
 * the same guest at the same moment. Its SHA-512 goes into a TEE report's REPORT_DATA, its
 * SHA-256 into a TPM quote's extraData. Format: docs/PROTOCOL.evidence "binding".
 * The agent that makes evidence and the verifier both use this file. */
#ifndef PAVISE_ATTEST_BINDING_H
#define PAVISE_ATTEST_BINDING_H

#include "common/err.h"

#include <stddef.h>
#include <stdint.h>

#define BINDING_NONCE_MIN 16u
#define BINDING_NONCE_MAX 64u
#define BINDING_PART_MAX 4096u /* bytes of the public key or the AK's public area */

struct binding {
	const uint8_t *nonce; /* 16..64 bytes, the relying party's */
	size_t nonce_size;
	const uint8_t *public_key; /* the agent's, DER SubjectPublicKeyInfo */
	size_t public_key_size;
	const uint8_t *ak_public; /* TPMT_PUBLIC of the vTPM's attestation key; NULL: no vTPM */
	size_t ak_public_size;
};

/* Fill SHA-256 and SHA-512 of the binding string. Returns 0, -EX_MALFORMED when a part is
 * missing or out of its bounds, or -EX_INTERNAL when libcrypto fails. */
int binding_sha256(const struct binding *b, uint8_t out[32], struct err *e);
int binding_sha512(const struct binding *b, uint8_t out[64], struct err *e);

#endif
