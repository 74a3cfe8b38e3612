#include "attest/x509/cert.h"

#include "attest/x509/signed_by.h"
#include "attest/x509/when.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#define PEM_BEGIN "-----BEGIN CERTIFICATE-----"
#define PEM_END "-----END CERTIFICATE-----"

/* What is left of a file. */
struct rest {
	const uint8_t *data;
	size_t size;
};

/* The certificate that r begins with, in the only form DER has: a changed length byte that
 * libcrypto reads over would be a byte that no signature covers. NULL: there is none. */
static X509 *take_der(struct rest *r)
{
	const unsigned char *p = r->data;
	unsigned char *again = NULL;
	X509 *cert = d2i_X509(NULL, &p, (long)r->size);
	int n = cert != NULL ? i2d_X509(cert, &again) : -1;
	bool same = n > 0 && p - r->data == n && memcmp(again, r->data, (size_t)n) == 0;

	OPENSSL_free(again);
	ERR_clear_error();
	if (!same) {
		X509_free(cert);
		return NULL;
	}
	r->size -= (size_t)n;
	r->data = p;
	return cert;
}

static void skip_blank(struct rest *r)
{
	while (r->size > 0 && memchr("\0\t\n\r ", *r->data, 5) != NULL) {
		r->data++;
		r->size--;
	}
}

static bool is_pem(const struct rest *r)
{
	return r->size >= strlen(PEM_BEGIN) && memcmp(r->data, PEM_BEGIN, strlen(PEM_BEGIN)) == 0;
}

/* Is this the one base64 text of der (RFC 4648 section 3.5), but for blanks? Decoders forgive bits
 * behind the last byte, which no signature covers either. */
static bool is_base64_of(const uint8_t *text, size_t size, const uint8_t *der, size_t der_size)
{
	size_t want_size = (der_size + 2) / 3 * 4, at = 0;
	unsigned char *want = malloc(want_size + 1);
	bool same = want != NULL &&
		    EVP_EncodeBlock(want, der, (int)der_size) == (int)want_size;

	for (size_t i = 0; same && i < size; i++)
		if (memchr("\t\n\r ", text[i], 4) == NULL)
			same = at < want_size && text[i] == want[at++];
	free(want);
	return same && at == want_size;
}

/* The certificate of the PEM block that r begins with. */
static X509 *take_pem(struct rest *r)
{
	const uint8_t *end = memmem(r->data, r->size, PEM_END, strlen(PEM_END));
	char *name = NULL, *header = NULL;
	unsigned char *der = NULL;
	long der_size = 0;
	X509 *cert = NULL;

	if (end == NULL)
		return NULL;
	size_t block = (size_t)(end - r->data) + strlen(PEM_END);
	BIO *text = BIO_new_mem_buf(r->data, (int)block);
	const uint8_t *body = r->data + strlen(PEM_BEGIN);
	if (text != NULL && PEM_read_bio(text, &name, &header, &der, &der_size) == 1 &&
	    header[0] == '\0' && der_size > 0 &&
	    is_base64_of(body, (size_t)(end - body), der, (size_t)der_size)) {
		struct rest inner = { der, (size_t)der_size };
		cert = take_der(&inner);
		if (inner.size != 0) {
			X509_free(cert);
			cert = NULL;
		}
	}
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_free(der);
	BIO_free(text);
	ERR_clear_error();
	r->data += block;
	r->size -= block;
	return cert;
}

/* The next one, remembered or read. */
static X509 *take(struct cert_cache *cache, bool pem, struct rest *r)
{
	const uint8_t *text = r->data;
	size_t used;
	X509 *cert = cert_cache_find(cache, r->data, r->size, &used);

	if (cert != NULL) {
		r->data += used;
		r->size -= used;
		return cert;
	}
	cert = pem ? take_pem(r) : take_der(r);
	if (cert != NULL)
		cert_cache_add(cache, text, (size_t)(r->data - text), cert);
	return cert;
}

int certs_read_cached(struct cert_cache *cache, const char *object, const uint8_t *data,
		      size_t size, struct certs *out, struct err *e)
{
	struct rest rest = { data, size };

	*out = (struct certs){ 0 };
	if (size == 0 || size > CERTS_FILE_MAX)
		return err_set(e, EX_MALFORMED, "%s: %zu bytes: not certificates (1 to %u)", object,
			       size, CERTS_FILE_MAX);
	/* DER begins with a SEQUENCE's tag, so blanks before it are not DER. */
	skip_blank(&rest);
	bool pem = is_pem(&rest);
	while (rest.size > 0) {
		X509 *cert = NULL;
		if (out->count < CERTS_MAX && pem == is_pem(&rest))
			cert = take(cache, pem, &rest);
		if (cert == NULL)
			break;
		out->cert[out->count++] = cert;
		skip_blank(&rest);
	}
	if (rest.size == 0 && out->count > 0)
		return 0;
	size_t good = out->count;
	certs_free(out);
	return err_set(e, EX_MALFORMED,
		       "%s: neither PEM nor DER of 1 to %u certificates (%zu before the fault)",
		       object, CERTS_MAX, good);
}

int certs_read(const char *object, const uint8_t *data, size_t size, struct certs *out,
	       struct err *e)
{
	return certs_read_cached(NULL, object, data, size, out, e);
}

void certs_free(struct certs *c)
{
	for (size_t i = 0; i < c->count; i++)
		X509_free(c->cert[i]);
	*c = (struct certs){ 0 };
}

/* Does cert's signature hold under issuer's key? */
static bool signature_holds(struct cert_cache *cache, X509 *cert, const X509 *issuer, EVP_PKEY *key)
{
	uint8_t digest[32];
	bool known = cert_cache_digest(cache, cert, digest);

	if (known && cert_cache_holds(cache, digest, issuer))
		return true;
	bool ok = X509_verify(cert, key) == 1;
	ERR_clear_error();
	if (ok && known)
		cert_cache_held(cache, digest, issuer);
	return ok;
}

int cert_check_issued_cached(struct cert_cache *cache, const char *what, X509 *cert, X509 *issuer,
			     struct err *e)
{
	EVP_PKEY *key = X509_get0_pubkey(issuer);
	const X509_ALGOR *outer;

	if (X509_NAME_cmp(X509_get_issuer_name(cert), X509_get_subject_name(issuer)) != 0)
		return err_set(e, EX_UNAUTHENTIC, "%s: names another issuer than the one given",
			       what);
	/* 1: a CA by basicConstraints, and by keyUsage if it has one; the older ways of being one
	 * do not count. */
	if (X509_check_ca(issuer) != 1)
		return err_set(e, EX_UNAUTHENTIC,
			       "%s: its issuer is not a CA that may sign certificates", what);
	X509_get0_signature(NULL, &outer, cert);
	int r = signed_by_check(what, X509_get0_tbs_sigalg(cert), outer, key, e);
	if (r < 0)
		return r;
	if (!signature_holds(cache, cert, issuer, key))
		return err_set(e, EX_UNAUTHENTIC,
			       "%s: its signature does not hold under its issuer's key", what);
	return 0;
}

int cert_check_issued(const char *what, X509 *cert, X509 *issuer, struct err *e)
{
	return cert_check_issued_cached(NULL, what, cert, issuer, e);
}

int cert_check_time(const char *what, const X509 *cert, time_t now, struct err *e)
{
	char first[WHEN_TEXT_SIZE], last[WHEN_TEXT_SIZE];
	time_t from, to;

	if (!when_from_asn1(X509_get0_notBefore(cert), &from) ||
	    !when_from_asn1(X509_get0_notAfter(cert), &to))
		return err_set(e, EX_MALFORMED, "%s: its validity cannot be read", what);
	if (from <= now && now <= to)
		return 0;
	when_text(from, first);
	when_text(to, last);
	return err_set(e, EX_COLLATERAL, "%s: valid from %s to %s only", what, first, last);
}

int cert_key_digest(const X509 *cert, uint8_t out[48])
{
	unsigned char *der = NULL;
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
	int ok = n > 0 && EVP_Digest(der, (size_t)n, out, NULL, EVP_sha384(), NULL);

	OPENSSL_free(der);
	ERR_clear_error();
	return ok ? 0 : -1;
}

void cert_common_name(const X509_NAME *name, char *out, size_t size)
{
	int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);

	out[0] = '\0';
	if (at < 0 || X509_NAME_get_index_by_NID(name, NID_commonName, at) >= 0)
		return;
	const ASN1_STRING *text = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
	const unsigned char *data = ASN1_STRING_get0_data(text);
	size_t n = (size_t)ASN1_STRING_length(text);
	if (n >= size)
		return;
	for (size_t i = 0; i < n; i++)
		if (data[i] < ' ' || data[i] > '~')
			return;
	memcpy(out, data, n);
	out[n] = '\0';
}

bool cert_is_root(const X509 *cert)
{
	return X509_NAME_cmp(X509_get_subject_name(cert), X509_get_issuer_name(cert)) == 0;
}
