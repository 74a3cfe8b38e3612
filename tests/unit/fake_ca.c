#include "tests/unit/fake_ca.h"

#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdlib.h>

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void set_name(X509_NAME *name, const char *text)
{
	must(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)text, -1,
					-1, 0));
}

static X509 *certify(EVP_PKEY *key, const char *subject, const char *issuer, EVP_PKEY *by, bool ca)
{
	X509 *cert = X509_new();
	X509V3_CTX ctx = { 0 };

	must(cert != NULL && X509_set_version(cert, X509_VERSION_3) && X509_set_pubkey(cert, key));
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	must(ASN1_TIME_set(X509_getm_notBefore(cert), FAKE_CA_FROM) != NULL);
	must(ASN1_TIME_set(X509_getm_notAfter(cert), FAKE_CA_UNTIL) != NULL);
	set_name(X509_get_subject_name(cert), subject);
	set_name(X509_get_issuer_name(cert), issuer);
	X509V3_set_ctx_nodb(&ctx);
	X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &ctx, NID_basic_constraints,
						  ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
	must(ext != NULL && X509_add_ext(cert, ext, -1));
	X509_EXTENSION_free(ext);
	must(X509_sign(cert, by, EVP_sha256()) > 0);
	return cert;
}

void fake_ca_make(struct fake_ca *ca)
{
	ca->root_key = EVP_EC_gen("P-256");
	ca->issuer_key = EVP_EC_gen("P-256");
	must(ca->root_key != NULL && ca->issuer_key != NULL);
	ca->root = certify(ca->root_key, "Test root", "Test root", ca->root_key, true);
	ca->issuer = certify(ca->issuer_key, "Test issuer", "Test root", ca->root_key, true);
}

X509 *fake_ca_certify(const struct fake_ca *ca, EVP_PKEY *key)
{
	return certify(key, "Test key", "Test issuer", ca->issuer_key, false);
}

void fake_ca_free(struct fake_ca *ca)
{
	X509_free(ca->root);
	X509_free(ca->issuer);
	EVP_PKEY_free(ca->root_key);
	EVP_PKEY_free(ca->issuer_key);
}
