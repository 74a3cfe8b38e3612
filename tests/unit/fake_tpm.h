/* A TPM's quoting side for tests: a key, its public area, quotes and signatures, made with
 * OpenSSL from the text of TPM 2.0 Part 2. */
#ifndef PAVISE_TESTS_UNIT_FAKE_TPM_H
#define PAVISE_TESTS_UNIT_FAKE_TPM_H

#include "attest/appraise/evidence.h"

#include <openssl/evp.h>

struct fake_tpm {
	EVP_PKEY *key;
	uint16_t scheme, hash;	   /* TPM_ALG_* */
	uint8_t public_area[1024]; /* TPMT_PUBLIC */
	size_t public_size;
};

/* A fresh key: RSA 2048 for TPM_ALG_RSASSA and _RSAPSS, P-256 for _ECDSA. */
void fake_tpm_make(struct fake_tpm *t, uint16_t scheme, uint16_t hash, uint32_t attributes);
void fake_tpm_free(struct fake_tpm *t);

/* TPMS_ATTEST over the values given, into out (4096 bytes); its size. */
size_t fake_tpm_quote(const struct fake_tpm *t, const uint8_t *extra, size_t extra_size,
		      const struct pcr_values pcrs[EXPECT_BANKS], uint8_t *out);

/* TPMT_SIGNATURE, into out (4096 bytes); its size. */
size_t fake_tpm_sign(const struct fake_tpm *t, const uint8_t *data, size_t size, uint8_t *out);

#endif
