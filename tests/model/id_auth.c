#include "tests/model/id_auth.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <stdbool.h>
#include <string.h>

#define NUMBER 72 /* bytes of one little-endian number */
#define KEY_SIZE 1028u
#define CURVE_P384 2u
#define ALGORITHM_P384_SHA384 1u

/* Offsets of the structure. */
enum { ID_KEY_ALGO = 0, AUTH_KEY_ALGO = 4, ID_BLOCK_SIG = 0x40, ID_KEY = 0x240,
       ID_KEY_SIG = 0x680, AUTHOR_KEY = 0x880 };

static bool put_number(uint8_t *out, const BIGNUM *n)
{
	return BN_bn2lebinpad(n, out, NUMBER) == NUMBER;
}

static bool put_key(uint8_t *out, EVP_PKEY *key)
{
	BIGNUM *x = NULL, *y = NULL;
	bool good = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_X, &x) == 1 &&
		    EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_Y, &y) == 1;

	out[0] = CURVE_P384;
	good = good && put_number(out + 4, x) && put_number(out + 4 + NUMBER, y);
	BN_free(x);
	BN_free(y);
	return good;
}

static bool put_signature(uint8_t *out, EVP_PKEY *key, const uint8_t *data, size_t size)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	ECDSA_SIG *sig = NULL;
	uint8_t der[128];
	const uint8_t *at = der;
	size_t n = sizeof(der);

	if (ctx != NULL && EVP_DigestSignInit(ctx, NULL, EVP_sha384(), NULL, key) == 1 &&
	    EVP_DigestSign(ctx, der, &n, data, size) == 1)
		sig = d2i_ECDSA_SIG(NULL, &at, (long)n);
	bool good = sig != NULL && put_number(out, ECDSA_SIG_get0_r(sig)) &&
		    put_number(out + NUMBER, ECDSA_SIG_get0_s(sig));
	ECDSA_SIG_free(sig);
	EVP_MD_CTX_free(ctx);
	return good;
}

int id_auth_fill(uint8_t auth[ID_AUTH_SIZE], EVP_PKEY *id, EVP_PKEY *author,
		 const uint8_t block[ID_BLOCK_SIZE])
{
	memset(auth, 0, ID_AUTH_SIZE);
	auth[ID_KEY_ALGO] = ALGORITHM_P384_SHA384;
	if (!put_signature(auth + ID_BLOCK_SIG, id, block, ID_BLOCK_SIZE) ||
	    !put_key(auth + ID_KEY, id))
		return -1;
	if (author == NULL)
		return 0;
	auth[AUTH_KEY_ALGO] = ALGORITHM_P384_SHA384;
	return put_signature(auth + ID_KEY_SIG, author, auth + ID_KEY, KEY_SIZE) &&
	       put_key(auth + AUTHOR_KEY, author) ? 0 : -1;
}

int id_auth_key_digest(const uint8_t auth[ID_AUTH_SIZE], enum id_key which,
		       uint8_t digest[ID_DIGEST_SIZE])
{
	const uint8_t *key = auth + (which == ID_KEY_OWNER ? ID_KEY : AUTHOR_KEY);

	return EVP_Digest(key, KEY_SIZE, digest, NULL, EVP_sha384(), NULL) == 1 ? 0 : -1;
}
