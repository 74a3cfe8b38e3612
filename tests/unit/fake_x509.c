#include "tests/unit/fake_x509.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#define HALF_YEAR (182L * 24 * 3600)

static void must(bool ok)
{
	if (!ok)
		abort();
}

EVP_PKEY *fake_p256(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");

	must(key != NULL);
	return key;
}

static void set_name(X509_NAME *name, const char *common)
{
	must(X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC,
					(const unsigned char *)"pavise test", -1, -1, 0) &&
	     X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)common, -1,
					-1, 0));
}

static void add_text(X509 *cert, int nid, const char *text)
{
	X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, nid, text);

	must(ext != NULL && X509_add_ext(cert, ext, -1));
	X509_EXTENSION_free(ext);
}

static X509_EXTENSION *raw_extension(const char *oid, const void *data, size_t size, int critical)
{
	ASN1_OBJECT *obj = OBJ_txt2obj(oid, 1);
	ASN1_OCTET_STRING *text = ASN1_OCTET_STRING_new();

	must(obj != NULL && text != NULL && ASN1_OCTET_STRING_set(text, data, (int)size));
	X509_EXTENSION *ext = X509_EXTENSION_create_by_OBJ(NULL, obj, critical, text);
	must(ext != NULL);
	ASN1_OBJECT_free(obj);
	ASN1_OCTET_STRING_free(text);
	return ext;
}

/* A context that signs as told (EVP_MD_CTX_free). */
static EVP_MD_CTX *signer(EVP_PKEY *key, const EVP_MD *md, bool pss, int salt)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *more;

	must(ctx != NULL &&
	     EVP_DigestSignInit(ctx, &more, md != NULL ? md : EVP_sha256(), NULL, key) > 0);
	if (pss)
		must(EVP_PKEY_CTX_set_rsa_padding(more, RSA_PKCS1_PSS_PADDING) > 0 &&
		     EVP_PKEY_CTX_set_rsa_pss_saltlen(more, salt) > 0);
	return ctx;
}

X509 *fake_x509_cert(const struct fake_cert *how)
{
	X509 *cert = X509_new();
	long from = how->from != 0 || how->to != 0 ? how->from : -HALF_YEAR;
	long to = how->from != 0 || how->to != 0 ? how->to : HALF_YEAR;
	const char *usage = how->ca ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature";

	must(cert != NULL && X509_set_version(cert, X509_VERSION_3) &&
	     ASN1_INTEGER_set(X509_get_serialNumber(cert), how->serial) &&
	     X509_set_pubkey(cert, how->key) &&
	     ASN1_TIME_set(X509_getm_notBefore(cert), FAKE_X509_NOW + from) != NULL &&
	     ASN1_TIME_set(X509_getm_notAfter(cert), FAKE_X509_NOW + to) != NULL);
	set_name(X509_get_subject_name(cert), how->subject);
	set_name(X509_get_issuer_name(cert), how->issuer != NULL ? how->issuer : how->subject);
	add_text(cert, NID_basic_constraints, how->ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
	add_text(cert, NID_key_usage, how->key_usage != NULL ? how->key_usage : usage);
	if (how->extra_oid != NULL) {
		X509_EXTENSION *ext = raw_extension(how->extra_oid, how->extra, how->extra_size, 0);
		must(X509_add_ext(cert, ext, -1) == 1);
		X509_EXTENSION_free(ext);
	}
	EVP_MD_CTX *ctx = signer(how->issuer_key != NULL ? how->issuer_key : how->key, how->md,
				 how->pss, how->salt);
	must(X509_sign_ctx(cert, ctx) > 0);
	EVP_MD_CTX_free(ctx);
	/* As from a file: libcrypto has seen every byte of it. */
	unsigned char *der = NULL;
	int n = i2d_X509(cert, &der);
	const unsigned char *p = der;
	must(n > 0);
	X509_free(cert);
	cert = d2i_X509(NULL, &p, n);
	OPENSSL_free(der);
	must(cert != NULL);
	return cert;
}

static void add_revoked(X509_CRL *list, const struct fake_crl *how, long serial)
{
	X509_REVOKED *entry = X509_REVOKED_new();
	ASN1_INTEGER *number = ASN1_INTEGER_new();
	ASN1_TIME *when = ASN1_TIME_set(NULL, FAKE_X509_NOW - HALF_YEAR);

	must(entry != NULL && number != NULL && when != NULL && ASN1_INTEGER_set(number, serial) &&
	     X509_REVOKED_set_serialNumber(entry, number) &&
	     X509_REVOKED_set_revocationDate(entry, when));
	if (how->entry_extension != NULL) {
		X509_EXTENSION *ext = raw_extension(how->entry_extension, "\5\0", 2, how->critical);
		must(X509_REVOKED_add_ext(entry, ext, -1) == 1);
		X509_EXTENSION_free(ext);
	}
	must(X509_CRL_add0_revoked(list, entry) == 1);
	ASN1_INTEGER_free(number);
	ASN1_TIME_free(when);
}

X509_CRL *fake_x509_crl(const struct fake_crl *how)
{
	X509_CRL *list = X509_CRL_new();
	X509_NAME *name = X509_NAME_new();
	long from = how->from != 0 || how->to != 0 ? how->from : -HALF_YEAR;
	long to = how->from != 0 || how->to != 0 ? how->to : HALF_YEAR;
	ASN1_TIME *first = ASN1_TIME_set(NULL, FAKE_X509_NOW + from);
	ASN1_TIME *last = ASN1_TIME_set(NULL, FAKE_X509_NOW + to);

	must(list != NULL && name != NULL && first != NULL && last != NULL &&
	     X509_CRL_set_version(list, how->version != 0 ? how->version - 1 : X509_CRL_VERSION_2));
	set_name(name, how->issuer);
	must(X509_CRL_set_issuer_name(list, name) && X509_CRL_set1_lastUpdate(list, first));
	if (!how->no_next)
		must(X509_CRL_set1_nextUpdate(list, last));
	for (size_t i = 0; i < how->count; i++)
		add_revoked(list, how, how->serial[i]);
	if (how->extension != NULL) {
		X509_EXTENSION *ext = raw_extension(how->extension, "\2\1\1", 3, how->critical);
		must(X509_CRL_add_ext(list, ext, -1) == 1);
		X509_EXTENSION_free(ext);
	}
	EVP_MD_CTX *ctx = signer(how->key, how->md, how->pss, how->salt);
	must(X509_CRL_sign_ctx(list, ctx) > 0);
	EVP_MD_CTX_free(ctx);
	X509_NAME_free(name);
	ASN1_TIME_free(first);
	ASN1_TIME_free(last);
	return list;
}

size_t fake_cert_der(X509 *cert, uint8_t *out, size_t max)
{
	int n = i2d_X509(cert, NULL);

	must(n > 0 && (size_t)n <= max);
	return (size_t)i2d_X509(cert, &out);
}

size_t fake_crl_der(X509_CRL *list, uint8_t *out, size_t max)
{
	int n = i2d_X509_CRL(list, NULL);

	must(n > 0 && (size_t)n <= max);
	return (size_t)i2d_X509_CRL(list, &out);
}

void fake_cert_pem(X509 *cert, char *text, size_t max)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *data;
	size_t at = strlen(text);

	must(bio != NULL && PEM_write_bio_X509(bio, cert) == 1);
	long n = BIO_get_mem_data(bio, &data);
	must(n > 0 && (size_t)n < max - at);
	memcpy(text + at, data, (size_t)n);
	text[at + (size_t)n] = '\0';
	BIO_free(bio);
}
