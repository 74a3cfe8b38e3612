#include "tests/unit/fake_tpm.h"

#include "attest/tpm/quote.h"
#include "common/bytes.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void write_sized(struct writer *w, const void *data, size_t n)
{
	write_be16(w, (uint16_t)n);
	write_copy(w, data, n);
}

static void write_number(struct writer *w, EVP_PKEY *key, const char *name, size_t width)
{
	uint8_t bytes[512];
	BIGNUM *n = NULL;

	must(EVP_PKEY_get_bn_param(key, name, &n) == 1);
	must(BN_bn2binpad(n, bytes, (int)width) == (int)width);
	write_sized(w, bytes, width);
	BN_free(n);
}

void fake_tpm_make(struct fake_tpm *t, uint16_t scheme, uint16_t hash, uint32_t attributes)
{
	bool ecc = scheme == TPM_ALG_ECDSA;
	struct writer w = writer_over(t->public_area, sizeof(t->public_area));

	t->scheme = scheme;
	t->hash = hash;
	t->key = ecc ? EVP_EC_gen("P-256") : EVP_RSA_gen(2048);
	must(t->key != NULL);
	write_be16(&w, ecc ? TPM_ALG_ECC : TPM_ALG_RSA);
	write_be16(&w, TPM_ALG_SHA256);
	write_be32(&w, attributes);
	write_be16(&w, 0);	      /* authPolicy */
	write_be16(&w, TPM_ALG_NULL); /* symmetric */
	write_be16(&w, scheme);
	write_be16(&w, hash);
	if (ecc) {
		write_be16(&w, 3);	      /* TPM_ECC_NIST_P256 */
		write_be16(&w, TPM_ALG_NULL); /* kdf */
		write_number(&w, t->key, OSSL_PKEY_PARAM_EC_PUB_X, 32);
		write_number(&w, t->key, OSSL_PKEY_PARAM_EC_PUB_Y, 32);
	} else {
		write_be16(&w, 2048);
		write_be32(&w, 0); /* exponent: the default, 65537 */
		write_number(&w, t->key, OSSL_PKEY_PARAM_RSA_N, 256);
	}
	must(!w.bad);
	t->public_size = w.pos;
}

void fake_tpm_free(struct fake_tpm *t)
{
	EVP_PKEY_free(t->key);
	t->key = NULL;
}

static void digest_values(const struct fake_tpm *t, const struct pcr_values pcrs[EXPECT_BANKS],
			  uint8_t *out)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();

	must(md != NULL && EVP_DigestInit_ex(md, tpm_alg_md(t->hash), NULL));
	for (unsigned bank = 0; bank < EXPECT_BANKS; bank++)
		for (unsigned i = 0; i < TPM_PCR_COUNT; i++)
			if ((pcrs[bank].given >> i & 1) != 0)
				must(EVP_DigestUpdate(md, pcrs[bank].value[i],
						      bank == 0 ? 32 : 48));
	must(EVP_DigestFinal_ex(md, out, NULL));
	EVP_MD_CTX_free(md);
}

size_t fake_tpm_quote(const struct fake_tpm *t, const uint8_t *extra, size_t extra_size,
		      const struct pcr_values pcrs[EXPECT_BANKS], uint8_t *out)
{
	static const uint8_t signer[34] = { 0, 0x0b };
	struct writer w = writer_over(out, 4096);
	uint8_t digest[TPM_DIGEST_MAX];

	write_be32(&w, TPM_GENERATED_VALUE);
	write_be16(&w, TPM_ST_ATTEST_QUOTE);
	write_sized(&w, signer, sizeof(signer));
	write_sized(&w, extra, extra_size);
	write_be64(&w, 123456); /* clock */
	write_be32(&w, 7);	/* resetCount */
	write_be32(&w, 0);	/* restartCount */
	write_u8(&w, 1);	/* safe */
	write_be64(&w, 0x2019102300163636ull);
	write_be32(&w, EXPECT_BANKS);
	for (unsigned bank = 0; bank < EXPECT_BANKS; bank++) {
		write_be16(&w, bank == 0 ? TPM_ALG_SHA256 : TPM_ALG_SHA384);
		write_u8(&w, 3);
		for (unsigned i = 0; i < 3; i++)
			write_u8(&w, (uint8_t)(pcrs[bank].given >> (8 * i)));
	}
	digest_values(t, pcrs, digest);
	write_sized(&w, digest, tpm_alg_size(t->hash));
	must(!w.bad);
	return w.pos;
}

static void write_ecdsa(struct writer *w, const uint8_t *der, size_t size)
{
	const unsigned char *p = der;
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &p, (long)size);
	uint8_t bytes[32];

	must(sig != NULL);
	must(BN_bn2binpad(ECDSA_SIG_get0_r(sig), bytes, 32) == 32);
	write_sized(w, bytes, 32);
	must(BN_bn2binpad(ECDSA_SIG_get0_s(sig), bytes, 32) == 32);
	write_sized(w, bytes, 32);
	ECDSA_SIG_free(sig);
}

size_t fake_tpm_sign(const struct fake_tpm *t, const uint8_t *data, size_t size, uint8_t *out)
{
	struct writer w = writer_over(out, 4096);
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	EVP_PKEY_CTX *ctx;
	uint8_t sig[512];
	size_t sig_size = sizeof(sig);

	must(md != NULL && EVP_DigestSignInit(md, &ctx, tpm_alg_md(t->hash), NULL, t->key) > 0);
	if (t->scheme == TPM_ALG_RSAPSS)
		must(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0 &&
		     EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) > 0);
	must(EVP_DigestSign(md, sig, &sig_size, data, size) > 0);
	EVP_MD_CTX_free(md);
	write_be16(&w, t->scheme);
	write_be16(&w, t->hash);
	if (t->scheme == TPM_ALG_ECDSA)
		write_ecdsa(&w, sig, sig_size);
	else
		write_sized(&w, sig, sig_size);
	must(!w.bad);
	return w.pos;
}
