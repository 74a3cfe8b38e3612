#include "model/tdx_sim/ecdsa.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <string.h>

bool tdx_ecdsa_sign(EVP_PKEY *key, const void *data, size_t n, uint8_t rs[64])
{
	unsigned char der[160];
	const unsigned char *p = der;
	size_t size = sizeof(der);
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	ECDSA_SIG *sig = NULL;

	if (md != NULL && EVP_DigestSignInit(md, NULL, EVP_sha256(), NULL, key) == 1 &&
	    EVP_DigestSign(md, der, &size, data, n) == 1)
		sig = d2i_ECDSA_SIG(NULL, &p, (long)size);
	EVP_MD_CTX_free(md);
	bool good = sig != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(sig), rs, 32) == 32 &&
		    BN_bn2binpad(ECDSA_SIG_get0_s(sig), rs + 32, 32) == 32;
	ECDSA_SIG_free(sig);
	return good;
}

bool tdx_ecdsa_point(EVP_PKEY *key, uint8_t xy[64])
{
	uint8_t point[65];
	size_t n = 0;

	if (EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point),
					    &n) != 1 ||
	    n != sizeof(point) || point[0] != POINT_CONVERSION_UNCOMPRESSED)
		return false;
	memcpy(xy, point + 1, 64);
	return true;
}
