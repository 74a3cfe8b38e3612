/* Hash algorithms of PCR banks and signatures (TCG Algorithm Registry, TPM_ALG_ID). */
#ifndef PAVISE_ATTEST_TPM_ALG_H
#define PAVISE_ATTEST_TPM_ALG_H

#include <openssl/evp.h>
#include <stddef.h>
#include <stdint.h>

#define TPM_ALG_SHA1 0x0004u
#define TPM_ALG_SHA256 0x000Bu
#define TPM_ALG_SHA384 0x000Cu
#define TPM_ALG_SHA512 0x000Du
#define TPM_ALG_SM3_256 0x0012u
#define TPM_DIGEST_MAX 64u /* bytes */
#define TPM_PCR_COUNT 24u

/* NULL for an algorithm we do not compute. */
const EVP_MD *tpm_alg_md(uint16_t alg);
/* "sha256", …; NULL for one we do not compute. */
const char *tpm_alg_name(uint16_t alg);
/* 0 for a name we do not know. */
uint16_t tpm_alg_from_name(const char *name);
/* Bytes of a digest, 0 for an algorithm we do not compute. */
size_t tpm_alg_size(uint16_t alg);

/* value = H(value ‖ digest), both tpm_alg_size(alg) bytes. 0, or -1 when libcrypto fails. */
int tpm_pcr_extend(uint16_t alg, uint8_t *value, const uint8_t *digest);

#endif
