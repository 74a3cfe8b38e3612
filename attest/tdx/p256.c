#include "attest/tdx/p256.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <string.h>

EVP_PKEY *p256_key(const uint8_t xy[P256_SIZE])
{
	uint8_t point[1 + P256_SIZE] = { POINT_CONVERSION_UNCOMPRESSED };
	char group[] = "prime256v1";
	EVP_PKEY *key = NULL;

	memcpy(point + 1, xy, P256_SIZE);
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)),
		OSSL_PARAM_construct_end(),
	};
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	bool ok = ctx != NULL && EVP_PKEY_fromdata_init(ctx) > 0 &&
		  EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) > 0;
	EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
	return ok ? key : NULL;
}

bool p256_is_key(EVP_PKEY *key)
{
	char group[32] = "";

	if (key == NULL || !EVP_PKEY_is_a(key, "EC"))
		return false;
	bool ok = EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1 &&
		  strcmp(group, "prime256v1") == 0;
	ERR_clear_error();
	return ok;
}

/* DER of SEQUENCE { INTEGER r, INTEGER s }, made by libcrypto (OPENSSL_free). 0: failed. */
static int to_der(const uint8_t rs[P256_SIZE], unsigned char **out)
{
	ECDSA_SIG *pair = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(rs, P256_SIZE / 2, NULL);
	BIGNUM *s = BN_bin2bn(rs + P256_SIZE / 2, P256_SIZE / 2, NULL);
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

bool p256_verify(EVP_PKEY *key, const uint8_t rs[P256_SIZE], const void *data, size_t n)
{
	unsigned char *der = NULL;
	int size = p256_is_key(key) ? to_der(rs, &der) : 0;
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	bool ok = size > 0 && md != NULL &&
		  EVP_DigestVerifyInit(md, NULL, EVP_sha256(), NULL, key) > 0 &&
		  EVP_DigestVerify(md, der, (size_t)size, data, n) == 1;

	EVP_MD_CTX_free(md);
	OPENSSL_free(der);
	ERR_clear_error();
	return ok;
}
