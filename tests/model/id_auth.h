/* The guest owner's side of an ID block (SEV-SNP firmware ABI, "ID block" and "ID authentication
 * information structure"): what `pavise measure snp --id-block` writes is signed here. */
#ifndef PAVISE_TESTS_MODEL_ID_AUTH_H
#define PAVISE_TESTS_MODEL_ID_AUTH_H

#include <openssl/evp.h>
#include <stdint.h>

#define ID_BLOCK_SIZE 96u
#define ID_AUTH_SIZE 4096u
#define ID_DIGEST_SIZE 48u

/* Fills all of auth: the block's signature under `id` (ECDSA P-384) and that key; with `author`
 * (or NULL) the key's signature under it, too. 0, or -1 when libcrypto refuses. */
int id_auth_fill(uint8_t auth[ID_AUTH_SIZE], EVP_PKEY *id, EVP_PKEY *author,
		 const uint8_t block[ID_BLOCK_SIZE]);

/* SHA-384 of a key in that structure, as reports carry it. 0 or -1. */
enum id_key { ID_KEY_OWNER, ID_KEY_AUTHOR };
int id_auth_key_digest(const uint8_t auth[ID_AUTH_SIZE], enum id_key which,
		       uint8_t digest[ID_DIGEST_SIZE]);

#endif
