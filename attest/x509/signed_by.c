#include "attest/x509/signed_by.h"

#include <openssl/err.h>
#include <openssl/rsa.h>
#include <stdbool.h>
#include <string.h>

#define RSA_BITS_MIN 3072
#define PSS_SALT 48

static bool is_sha384(const X509_ALGOR *alg)
{
	const ASN1_OBJECT *id;

	X509_ALGOR_get0(&id, NULL, NULL, alg);
	return OBJ_obj2nid(id) == NID_sha384;
}

static bool is_mgf1_sha384(const X509_ALGOR *mask)
{
	const ASN1_OBJECT *id;
	const void *value;
	int type;

	X509_ALGOR_get0(&id, &type, &value, mask);
	if (OBJ_obj2nid(id) != NID_mgf1 || type != V_ASN1_SEQUENCE)
		return false;
	X509_ALGOR *digest =
		ASN1_item_unpack((const ASN1_STRING *)value, ASN1_ITEM_rptr(X509_ALGOR));
	bool ok = digest != NULL && is_sha384(digest);
	X509_ALGOR_free(digest);
	return ok;
}

/* RFC 4055 section 3.1: what is left out has a default, and none of those is AMD's. */
static bool is_pss_sha384(const X509_ALGOR *alg)
{
	const ASN1_OBJECT *id;
	const void *value;
	int type;

	X509_ALGOR_get0(&id, &type, &value, alg);
	if (OBJ_obj2nid(id) != NID_rsassaPss || type != V_ASN1_SEQUENCE)
		return false;
	RSA_PSS_PARAMS *p =
		ASN1_item_unpack((const ASN1_STRING *)value, ASN1_ITEM_rptr(RSA_PSS_PARAMS));
	bool ok = p != NULL && p->hashAlgorithm != NULL && p->maskGenAlgorithm != NULL &&
		  p->saltLength != NULL && ASN1_INTEGER_get(p->saltLength) == PSS_SALT &&
		  is_sha384(p->hashAlgorithm) && is_mgf1_sha384(p->maskGenAlgorithm);
	RSA_PSS_PARAMS_free(p);
	return ok;
}

static bool is_ecdsa_sha256(const X509_ALGOR *alg)
{
	const ASN1_OBJECT *id;

	X509_ALGOR_get0(&id, NULL, NULL, alg);
	return OBJ_obj2nid(id) == NID_ecdsa_with_SHA256;
}

static bool is_p256(EVP_PKEY *key)
{
	char group[32] = "";

	return EVP_PKEY_is_a(key, "EC") &&
	       EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1 &&
	       strcmp(group, "prime256v1") == 0;
}

int signed_by_check(const char *what, const X509_ALGOR *inner, const X509_ALGOR *outer,
		    EVP_PKEY *key, struct err *e)
{
	bool rsa =
		key != NULL && EVP_PKEY_is_a(key, "RSA") && EVP_PKEY_get_bits(key) >= RSA_BITS_MIN;
	bool ok = rsa ? is_pss_sha384(inner) : is_ecdsa_sha256(inner);
	bool p256 = !rsa && key != NULL && is_p256(key);

	ERR_clear_error();
	if (!rsa && !p256)
		return err_set(e, EX_UNAUTHENTIC,
			       "%s: its issuer's key is neither RSA of %d bits or more nor EC "
			       "P-256",
			       what, RSA_BITS_MIN);
	if (X509_ALGOR_cmp(inner, outer) != 0)
		return err_set(e, EX_UNAUTHENTIC,
			       "%s: the signature names another algorithm than what it signs",
			       what);
	if (!ok)
		return err_set(e, EX_UNAUTHENTIC, "%s: not signed with %s", what,
			       rsa ? "RSASSA-PSS, SHA-384 and a salt of 48 bytes"
				   : "ECDSA and SHA-256");
	return 0;
}
