/* ECDSA over P-256 with SHA-256 in the form that Intel's structures have: a public key is X ‖ Y, a
 * signature r ‖ s, 32 big-endian bytes each (Intel SGX ECDSA QuoteGeneration, A.4). */
#ifndef PAVISE_ATTEST_TDX_P256_H
#define PAVISE_ATTEST_TDX_P256_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define P256_SIZE 64u /* bytes of a key or a signature */

/* A key (EVP_PKEY_free); NULL: not a point of the curve. */
EVP_PKEY *p256_key(const uint8_t xy[P256_SIZE]);

/* Is key one of P-256? NULL is none. */
bool p256_is_key(EVP_PKEY *key);

/* Does the signature hold over n bytes? False also for another kind of key and r, s out of range.
 */
bool p256_verify(EVP_PKEY *key, const uint8_t rs[P256_SIZE], const void *data, size_t n);

#endif
