/* Hybrid public key encryption (RFC 9180), base mode, one message: DHKEM(P-256, HKDF-SHA256),
 * HKDF-SHA256 and AES-GCM. OpenSSL has it from version 3.2 on; this is for 3.0. */
#ifndef PAVISE_ATTEST_KEY_HPKE_H
#define PAVISE_ATTEST_KEY_HPKE_H

#include "common/err.h"

#include <openssl/evp.h>
#include <stddef.h>
#include <stdint.h>

#define HPKE_ENC 65u /* Nenc (RFC 9180 section 7.1): an uncompressed point */
#define HPKE_TAG 16u /* Nt (section 7.3) */

/* An AEAD of section 7.3. */
struct hpke_aead {
	uint16_t id;
	size_t key_size; /* Nk, bytes; at most 32 */
	const EVP_CIPHER *(*cipher)(void);
};
extern const struct hpke_aead HPKE_AES_128_GCM, HPKE_AES_256_GCM;

/* What both sides must know besides the key. */
struct hpke_context {
	const struct hpke_aead *aead;
	const void *info; /* what this use of HPKE is */
	size_t info_size;
	const void *aad; /* authenticated, not encrypted */
	size_t aad_size;
};

/* Encrypts size bytes to the P-256 key recipient. ephemeral: a P-256 key pair made for this call.
 * out takes size + HPKE_TAG bytes. -EX_MALFORMED: recipient is no point of P-256; -EX_INTERNAL. */
int hpke_seal(const struct hpke_context *c, EVP_PKEY *ephemeral, EVP_PKEY *recipient,
	      const uint8_t *plain, size_t size, uint8_t enc[HPKE_ENC], uint8_t *out,
	      struct err *e);

/* The reverse with the recipient's key pair: size bytes with the tag, out takes size - HPKE_TAG.
 * -EX_UNAUTHENTIC: not encrypted to this key, or changed since; then out is all zero. */
int hpke_open(const struct hpke_context *c, EVP_PKEY *recipient, const uint8_t enc[HPKE_ENC],
	      const uint8_t *sealed, size_t size, uint8_t *out, struct err *e);

/* HKDF-SHA256 (RFC 5869) without salt: out_size bytes, at most 255 * 32. -EX_INTERNAL. */
int hpke_hkdf(const uint8_t *key, size_t key_size, const char *info, uint8_t *out, size_t out_size,
	      struct err *e);

#endif
