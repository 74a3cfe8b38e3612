/* ECDSA with SHA-256 on P-256, as Intel writes it: numbers of 32 bytes, big endian. */
#ifndef PAVISE_MODEL_TDX_SIM_ECDSA_H
#define PAVISE_MODEL_TDX_SIM_ECDSA_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* r and s over n bytes. False: libcrypto failed. */
bool tdx_ecdsa_sign(EVP_PKEY *key, const void *data, size_t n, uint8_t rs[64]);

/* X and Y of the public key. */
bool tdx_ecdsa_point(EVP_PKEY *key, uint8_t xy[64]);

#endif
