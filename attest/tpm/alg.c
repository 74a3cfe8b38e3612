#include "attest/tpm/alg.h"

#include <string.h>

static const struct {
	uint16_t alg;
	uint8_t size;
	const char *name;
	const EVP_MD *(*md)(void);
} algs[] = {
	{ TPM_ALG_SHA1, 20, "sha1", EVP_sha1 },	      { TPM_ALG_SHA256, 32, "sha256", EVP_sha256 },
	{ TPM_ALG_SHA384, 48, "sha384", EVP_sha384 }, { TPM_ALG_SHA512, 64, "sha512", EVP_sha512 },
	{ TPM_ALG_SM3_256, 32, "sm3_256", EVP_sm3 },
};
#define ALG_COUNT (sizeof(algs) / sizeof(algs[0]))

const EVP_MD *tpm_alg_md(uint16_t alg)
{
	for (size_t i = 0; i < ALG_COUNT; i++)
		if (algs[i].alg == alg)
			return algs[i].md();
	return NULL;
}

const char *tpm_alg_name(uint16_t alg)
{
	for (size_t i = 0; i < ALG_COUNT; i++)
		if (algs[i].alg == alg)
			return algs[i].name;
	return NULL;
}

uint16_t tpm_alg_from_name(const char *name)
{
	for (size_t i = 0; i < ALG_COUNT; i++)
		if (strcmp(algs[i].name, name) == 0)
			return algs[i].alg;
	return 0;
}

size_t tpm_alg_size(uint16_t alg)
{
	for (size_t i = 0; i < ALG_COUNT; i++)
		if (algs[i].alg == alg)
			return algs[i].size;
	return 0;
}

int tpm_pcr_extend(uint16_t alg, uint8_t *value, const uint8_t *digest)
{
	uint8_t both[2 * TPM_DIGEST_MAX];
	size_t n = tpm_alg_size(alg);

	memcpy(both, value, n);
	memcpy(both + n, digest, n);
	return n != 0 && EVP_Digest(both, 2 * n, value, NULL, tpm_alg_md(alg), NULL) ? 0 : -1;
}
