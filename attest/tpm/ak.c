/* The public part of an attestation key, and the signatures it makes. */
#include "attest/tpm/quote.h"

#include "common/bytes.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <string.h>

#define RSA_BITS_MIN 2048u
#define RSA_BITS_MAX 4096u
#define RSA_EXPONENT 65537u
#define POINT_MAX 48u /* bytes of a P-384 coordinate */

static const struct {
	uint16_t id; /* TPM_ECC_CURVE, Part 2 §6.4 */
	uint16_t bits;
	const char *group;
} curves[] = {
	{ 3, 256, "P-256" },
	{ 4, 384, "P-384" },
};

static int bad_public(const char *cause, struct err *e)
{
	return err_set(e, EX_MALFORMED, "attestation key: %s", cause);
}

static EVP_PKEY *key_from_params(const char *type, OSSL_PARAM_BLD *bld)
{
	OSSL_PARAM *params = bld == NULL ? NULL : OSSL_PARAM_BLD_to_param(bld);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *key = NULL;

	if (params != NULL && ctx != NULL && EVP_PKEY_fromdata_init(ctx) > 0 &&
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) <= 0)
		key = NULL;
	OSSL_PARAM_free(params);
	EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
	return key;
}

/* Checks what fromdata does not: that a point lies on its curve, that a modulus is sound. */
static bool key_is_valid(EVP_PKEY *key)
{
	EVP_PKEY_CTX *ctx = key == NULL ? NULL : EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	bool ok = ctx != NULL && EVP_PKEY_public_check(ctx) > 0;

	EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
	return ok;
}

static EVP_PKEY *rsa_key(const uint8_t *modulus, size_t size, uint32_t exponent)
{
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	BIGNUM *n = BN_bin2bn(modulus, (int)size, NULL);
	EVP_PKEY *key = NULL;

	if (bld != NULL && n != NULL && OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, n) &&
	    OSSL_PARAM_BLD_push_ulong(bld, OSSL_PKEY_PARAM_RSA_E, exponent))
		key = key_from_params("RSA", bld);
	OSSL_PARAM_BLD_free(bld);
	BN_free(n);
	return key;
}

static EVP_PKEY *ec_key(const char *group, const uint8_t *point, size_t size)
{
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	EVP_PKEY *key = NULL;

	if (bld != NULL &&
	    OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME, group, 0) &&
	    OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, point, size))
		key = key_from_params("EC", bld);
	OSSL_PARAM_BLD_free(bld);
	return key;
}

/* TPMS_RSA_PARMS and TPM2B_PUBLIC_KEY_RSA, after the scheme. */
static int take_rsa(struct reader *r, struct tpm_public *p, struct err *e)
{
	p->bits = read_be16(r);
	uint32_t exponent = read_be32(r);
	uint16_t size = read_be16(r);
	const uint8_t *modulus = read_view(r, size);

	if (modulus == NULL || reader_left(r) != 0)
		return bad_public("cut short or bytes behind its end", e);
	if (p->bits > RSA_BITS_MAX || size * 8u != p->bits || size == 0 || (modulus[0] & 0x80) == 0)
		return bad_public("RSA modulus of the wrong size", e);
	if (exponent != 0 && exponent != RSA_EXPONENT)
		return bad_public("RSA exponent is not 65537", e);
	p->key = rsa_key(modulus, size, RSA_EXPONENT);
	return key_is_valid(p->key) ? 0 : bad_public("libcrypto refuses its RSA modulus", e);
}

static bool take_coordinate(struct reader *r, uint8_t *out, size_t width)
{
	uint16_t size = read_be16(r);
	const uint8_t *p = read_view(r, size);

	if (p == NULL || size > width)
		return false;
	memset(out, 0, width);
	memcpy(out + width - size, p, size);
	return true;
}

/* TPMS_ECC_PARMS and TPMS_ECC_POINT, after the scheme. */
static int take_ecc(struct reader *r, struct tpm_public *p, struct err *e)
{
	uint8_t point[1 + 2 * POINT_MAX] = { 4 }; /* uncompressed */
	uint16_t curve = read_be16(r), kdf = read_be16(r);
	size_t i = 0;

	while (i < sizeof(curves) / sizeof(curves[0]) && curves[i].id != curve)
		i++;
	if (i == sizeof(curves) / sizeof(curves[0]))
		return bad_public("curve is neither NIST P-256 nor P-384", e);
	if (kdf != TPM_ALG_NULL)
		return bad_public("a signing key with a key derivation scheme", e);
	p->bits = curves[i].bits;
	size_t width = p->bits / 8;
	if (!take_coordinate(r, point + 1, width) ||
	    !take_coordinate(r, point + 1 + width, width) || reader_left(r) != 0)
		return bad_public("its point is cut short or has bytes behind its end", e);
	p->key = ec_key(curves[i].group, point, 1 + 2 * width);
	return key_is_valid(p->key) ? 0 : bad_public("its point is not on the curve", e);
}

int tpm_public_parse(const uint8_t *data, size_t size, struct tpm_public *out, struct err *e)
{
	struct reader r = reader_over(data, size);

	*out = (struct tpm_public){ .type = read_be16(&r) };
	out->name_alg = read_be16(&r);
	out->attributes = read_be32(&r);
	read_view(&r, read_be16(&r)); /* authPolicy */
	uint16_t symmetric = read_be16(&r);
	if (r.bad)
		return bad_public("cut short", e);
	if (out->type != TPM_ALG_RSA && out->type != TPM_ALG_ECC)
		return bad_public("neither an RSA nor an ECC key", e);
	if (symmetric != TPM_ALG_NULL)
		return bad_public("has a symmetric scheme: a storage key, not one that signs", e);
	out->scheme = read_be16(&r);
	if (out->scheme != TPM_ALG_NULL)
		out->scheme_hash = read_be16(&r);
	return out->type == TPM_ALG_RSA ? take_rsa(&r, out, e) : take_ecc(&r, out, e);
}

void tpm_public_free(struct tpm_public *p)
{
	EVP_PKEY_free(p->key);
	p->key = NULL;
}

int tpm_public_check_ak(const struct tpm_public *p, struct err *e)
{
	if ((p->attributes & TPMA_AK_SET) != TPMA_AK_SET || (p->attributes & TPMA_DECRYPT) != 0)
		return err_set(e, EX_UNAUTHENTIC,
			       "attestation key: attributes 0x%08x: a restricted signing key made "
			       "in the TPM has 0x%08x set and 0x%08x clear",
			       p->attributes, TPMA_AK_SET, TPMA_DECRYPT);
	if (p->type == TPM_ALG_RSA && p->bits < RSA_BITS_MIN)
		return err_set(e, EX_UNAUTHENTIC, "attestation key: RSA of %u bits, %u are needed",
			       p->bits, RSA_BITS_MIN);
	if (p->name_alg != TPM_ALG_SHA256 && p->name_alg != TPM_ALG_SHA384)
		return err_set(e, EX_UNAUTHENTIC,
			       "attestation key: name algorithm 0x%04x is not SHA-256 or SHA-384",
			       p->name_alg);
	if (p->type == TPM_ALG_RSA ? p->scheme != TPM_ALG_RSASSA && p->scheme != TPM_ALG_RSAPSS
				   : p->scheme != TPM_ALG_ECDSA)
		return err_set(e, EX_UNAUTHENTIC,
			       "attestation key: scheme 0x%04x is none of a restricted signing key",
			       p->scheme);
	return 0;
}

/* DER of SEQUENCE { INTEGER r, INTEGER s }, made by libcrypto. 0: failed. */
static int ecdsa_der(const struct tpm_signature *sig, unsigned char **out)
{
	ECDSA_SIG *pair = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(sig->r, (int)sig->r_size, NULL);
	BIGNUM *s = BN_bin2bn(sig->s, (int)sig->s_size, NULL);
	int n = 0;

	*out = NULL;
	if (pair != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(pair, r, s)) {
		r = s = NULL; /* now the pair's */
		n = i2d_ECDSA_SIG(pair, out);
	}
	BN_free(r);
	BN_free(s);
	ECDSA_SIG_free(pair);
	return n;
}

static int set_padding(EVP_PKEY_CTX *ctx, uint16_t alg)
{
	if (alg == TPM_ALG_RSASSA)
		return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING);
	if (alg != TPM_ALG_RSAPSS)
		return 1;
	/* TPMs salt with the hash's length (FIPS 186-4) or with all that fits (Part 1 B.7). */
	return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0 &&
	       EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_AUTO) > 0;
}

static bool verify(EVP_PKEY *key, const struct tpm_signature *sig, const uint8_t *bytes,
		   size_t bytes_size, const uint8_t *data, size_t size)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	EVP_PKEY_CTX *ctx;
	bool ok = md != NULL &&
		  EVP_DigestVerifyInit(md, &ctx, tpm_alg_md(sig->hash), NULL, key) > 0 &&
		  set_padding(ctx, sig->alg) > 0 &&
		  EVP_DigestVerify(md, bytes, bytes_size, data, size) == 1;

	EVP_MD_CTX_free(md);
	ERR_clear_error();
	return ok;
}

int tpm_signature_verify(EVP_PKEY *key, const struct tpm_signature *sig, const uint8_t *data,
			 size_t size, struct err *e)
{
	bool ecdsa = sig->alg == TPM_ALG_ECDSA, ok;

	if (EVP_PKEY_is_a(key, "EC") != ecdsa)
		return err_set(e, EX_UNAUTHENTIC,
			       "signature: scheme 0x%04x does not fit the key's type", sig->alg);
	if (ecdsa) {
		unsigned char *der;
		int n = ecdsa_der(sig, &der);
		if (n <= 0)
			return err_set(e, EX_INTERNAL, "signature: libcrypto cannot encode it");
		ok = verify(key, sig, der, (size_t)n, data, size);
		OPENSSL_free(der);
	} else {
		ok = verify(key, sig, sig->rsa, sig->rsa_size, data, size);
	}
	if (!ok)
		return err_set(e, EX_UNAUTHENTIC,
			       "signature: does not hold for these bytes under this key");
	return 0;
}
