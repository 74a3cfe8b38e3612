/* ID block and ID authentication information (56860 §"Launching a Guest", SNP_LAUNCH_FINISH). */
#include "model/psp/machine.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <string.h>

#define ALGORITHM_P384_SHA384 1u
#define CURVE_P384 2u
#define NUMBER 72u /* bytes of one little-endian number */
#define P384 48u

/* Offsets of ID_AUTH. */
enum { ID_KEY_ALGO = 0, AUTH_KEY_ALGO = 4, ID_BLOCK_SIG = 0x40, ID_KEY = 0x240,
       ID_KEY_SIG = 0x680, AUTHOR_KEY = 0x880, KEY_SIZE = 1028 };

/* Offsets of ID_BLOCK. */
enum { BLOCK_DIGEST = 0, BLOCK_FAMILY = 48, BLOCK_IMAGE = 64, BLOCK_SVN = 84, BLOCK_POLICY = 88,
       BLOCK_SIZE = 96 };

static uint32_t le32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* A number of 72 little-endian bytes that must fit in 48; out is big endian. */
static bool number(const uint8_t *in, uint8_t out[P384])
{
	for (size_t i = P384; i < NUMBER; i++)
		if (in[i] != 0)
			return false;
	for (size_t i = 0; i < P384; i++)
		out[i] = in[P384 - 1 - i];
	return true;
}

/* {curve, x, y} to a public key; NULL: wrong curve or no point of it. */
static EVP_PKEY *public_key(const uint8_t *key)
{
	uint8_t point[1 + 2 * P384] = { 4 };
	EVP_PKEY *out = NULL;

	if (le32(key) != CURVE_P384 || !number(key + 4, point + 1) ||
	    !number(key + 4 + NUMBER, point + 1 + P384))
		return NULL;
	char group[] = "P-384";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)),
		OSSL_PARAM_construct_end(),
	};
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &out, EVP_PKEY_PUBLIC_KEY, params) != 1)
		out = NULL;
	EVP_PKEY_CTX_free(ctx);
	return out;
}

/* The DER form of {r, s}; 0: not two numbers. Freed by the caller. */
static int signature_der(const uint8_t *sig, uint8_t **der)
{
	uint8_t r[P384], s[P384];
	int size = 0;

	if (!number(sig, r) || !number(sig + NUMBER, s))
		return 0;
	ECDSA_SIG *e = ECDSA_SIG_new();
	BIGNUM *br = BN_bin2bn(r, P384, NULL), *bs = BN_bin2bn(s, P384, NULL);
	if (e != NULL && br != NULL && bs != NULL && ECDSA_SIG_set0(e, br, bs) == 1) {
		br = bs = NULL;
		size = i2d_ECDSA_SIG(e, der);
	}
	BN_free(br);
	BN_free(bs);
	ECDSA_SIG_free(e);
	return size > 0 ? size : 0;
}

static bool verifies(const uint8_t *key, const uint8_t *sig, const uint8_t *data, size_t size)
{
	uint8_t *der = NULL;
	EVP_PKEY *pkey = public_key(key);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int der_size = signature_der(sig, &der);
	bool good = pkey != NULL && ctx != NULL && der_size > 0 &&
		    EVP_DigestVerifyInit(ctx, NULL, EVP_sha384(), NULL, pkey) == 1 &&
		    EVP_DigestVerify(ctx, der, (size_t)der_size, data, size) == 1;

	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	OPENSSL_free(der);
	return good;
}

uint32_t psp_identity(struct psp_guest *g, const struct psp_launch_finish *f)
{
	const uint8_t *block = f->id_block, *auth = f->id_auth;
	uint64_t policy;

	memcpy(&policy, block + BLOCK_POLICY, sizeof(policy));
	if (memcmp(block + BLOCK_DIGEST, g->launch_digest, sizeof(g->launch_digest)) != 0)
		return PSP_BAD_MEASUREMENT;
	if (policy != g->policy)
		return PSP_POLICY_FAILURE;
	if (le32(auth + ID_KEY_ALGO) != ALGORITHM_P384_SHA384 ||
	    (f->auth_key_en != 0 && le32(auth + AUTH_KEY_ALGO) != ALGORITHM_P384_SHA384))
		return PSP_INVALID_PARAM;
	if (!verifies(auth + ID_KEY, auth + ID_BLOCK_SIG, block, BLOCK_SIZE))
		return PSP_BAD_SIGNATURE;
	if (f->auth_key_en != 0 &&
	    !verifies(auth + AUTHOR_KEY, auth + ID_KEY_SIG, auth + ID_KEY, KEY_SIZE))
		return PSP_BAD_SIGNATURE;
	if (EVP_Digest(auth + ID_KEY, KEY_SIZE, g->id_key_digest, NULL, EVP_sha384(), NULL) != 1 ||
	    (f->auth_key_en != 0 && EVP_Digest(auth + AUTHOR_KEY, KEY_SIZE, g->author_key_digest,
					       NULL, EVP_sha384(), NULL) != 1))
		return PSP_INVALID_PLATFORM_STATE;
	memcpy(g->family_id, block + BLOCK_FAMILY, sizeof(g->family_id));
	memcpy(g->image_id, block + BLOCK_IMAGE, sizeof(g->image_id));
	memcpy(&g->svn, block + BLOCK_SVN, sizeof(g->svn));
	g->author_key_en = f->auth_key_en != 0;
	return PSP_SUCCESS;
}
