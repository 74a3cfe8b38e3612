#include "model/certificate.h"

#include <openssl/asn1.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>
#include <string.h>

#define DAY (24L * 60 * 60)

bool certificate_set_name(X509_NAME *name, const char *unit, const char *common)
{
	const char *const parts[][2] = {
		{ "OU", unit }, { "C", "XX" }, { "O", "pavise platform model" }, { "CN", common },
	};
	bool good = name != NULL;

	for (size_t i = 0; good && i < sizeof(parts) / sizeof(parts[0]); i++)
		good = X509_NAME_add_entry_by_txt(name, parts[i][0], MBSTRING_ASC,
						  (const uint8_t *)parts[i][1], -1, -1, 0) == 1;
	return good;
}

bool certificate_set_frame(X509 *x, uint64_t serial, long years, EVP_PKEY *key)
{
	return X509_set_version(x, X509_VERSION_3) == 1 &&
	       ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), serial) == 1 &&
	       X509_gmtime_adj(X509_getm_notBefore(x), -DAY) != NULL &&
	       X509_time_adj_ex(X509_getm_notAfter(x), (int)years * 365, 0, NULL) != NULL &&
	       X509_set_pubkey(x, key) == 1;
}

bool certificate_add_extension(X509 *x, const char *oid, const uint8_t *data, int size)
{
	ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	X509_EXTENSION *ext = NULL;
	bool good = object != NULL && value != NULL &&
		    ASN1_OCTET_STRING_set(value, data, size) == 1;

	if (good)
		ext = X509_EXTENSION_create_by_OBJ(NULL, object, 0, value);
	good = ext != NULL && X509_add_ext(x, ext, -1) == 1;
	X509_EXTENSION_free(ext);
	ASN1_OCTET_STRING_free(value);
	ASN1_OBJECT_free(object);
	return good;
}

bool certificate_add_string(X509 *x, const char *oid, uint8_t tag, const char *text)
{
	uint8_t der[64] = { tag, (uint8_t)strlen(text) };

	memcpy(der + 2, text, strlen(text)); /* short constants */
	return certificate_add_extension(x, oid, der, 2 + (int)strlen(text));
}

bool certificate_add_text(X509 *x, int nid, const char *text)
{
	X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, nid, text);
	bool good = ext != NULL && X509_add_ext(x, ext, -1) == 1;

	X509_EXTENSION_free(ext);
	return good;
}

bool certificate_add_simulated(X509 *x)
{
	return certificate_add_string(x, CERTIFICATE_SIMULATED_OID, V_ASN1_UTF8STRING,
				      CERTIFICATE_SIMULATED_TEXT);
}

bool certificate_key_der(EVP_PKEY *key, uint8_t **der, size_t *size)
{
	PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
	int n = info != NULL ? i2d_PKCS8_PRIV_KEY_INFO(info, der) : 0;

	PKCS8_PRIV_KEY_INFO_free(info);
	*size = n > 0 ? (size_t)n : 0;
	return n > 0;
}

EVP_PKEY *certificate_key_read(const uint8_t *der, size_t size)
{
	PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &der, (long)size);
	EVP_PKEY *key = info != NULL ? EVP_PKCS82PKEY(info) : NULL;

	PKCS8_PRIV_KEY_INFO_free(info);
	return key;
}
