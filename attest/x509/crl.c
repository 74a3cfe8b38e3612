#include "attest/x509/crl.h"

#include "attest/x509/cert.h"
#include "attest/x509/signed_by.h"
#include "attest/x509/when.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <string.h>

/* The whole of data as one list in the only form DER has. */
static X509_CRL *from_der(const uint8_t *data, size_t size)
{
	const unsigned char *p = data;
	unsigned char *again = NULL;
	X509_CRL *list = d2i_X509_CRL(NULL, &p, (long)size);
	int n = list != NULL ? i2d_X509_CRL(list, &again) : -1;
	bool same = n > 0 && (size_t)n == size && memcmp(again, data, size) == 0;

	OPENSSL_free(again);
	ERR_clear_error();
	if (same)
		return list;
	X509_CRL_free(list);
	return NULL;
}

static X509_CRL *from_pem(const uint8_t *data, size_t size)
{
	char *name = NULL, *header = NULL, *more = NULL;
	unsigned char *der = NULL, *more_der = NULL;
	long der_size = 0, more_size = 0;
	X509_CRL *list = NULL;
	BIO *text = BIO_new_mem_buf(data, (int)size);

	if (text != NULL && PEM_read_bio(text, &name, &header, &der, &der_size) == 1 &&
	    strcmp(name, PEM_STRING_X509_CRL) == 0 && header[0] == '\0' && der_size > 0)
		list = from_der(der, (size_t)der_size);
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_free(der);
	name = header = NULL;
	/* A second object would be one that nobody looks at. */
	if (list != NULL && PEM_read_bio(text, &more, &header, &more_der, &more_size) == 1) {
		OPENSSL_free(more);
		OPENSSL_free(header);
		OPENSSL_free(more_der);
		X509_CRL_free(list);
		list = NULL;
	}
	BIO_free(text);
	ERR_clear_error();
	return list;
}

/* An entry of another issuer's certificate is marked so by a critical extension (RFC 5280 section
 * 5.3.3); there is no critical one that is expected. */
static bool entries_plain(X509_CRL *list)
{
	const STACK_OF(X509_REVOKED) *all = X509_CRL_get_REVOKED(list);

	for (int i = 0; i < sk_X509_REVOKED_num(all); i++)
		if (X509_REVOKED_get_ext_by_critical(sk_X509_REVOKED_value(all, i), 1, -1) >= 0)
			return false;
	return true;
}

static int check_form(const char *object, struct crl *c, struct err *e)
{
	X509_CRL *list = c->list;
	int n = sk_X509_REVOKED_num(X509_CRL_get_REVOKED(list));

	if (X509_CRL_get_version(list) != X509_CRL_VERSION_2)
		return err_set(e, EX_MALFORMED, "%s: not version 2", object);
	if (!when_from_asn1(X509_CRL_get0_lastUpdate(list), &c->this_update) ||
	    !when_from_asn1(X509_CRL_get0_nextUpdate(list), &c->next_update))
		return err_set(e, EX_MALFORMED, "%s: thisUpdate or nextUpdate is missing or wrong",
			       object);
	if (X509_CRL_get_ext_by_NID(list, NID_delta_crl, -1) >= 0 ||
	    X509_CRL_get_ext_by_NID(list, NID_issuing_distribution_point, -1) >= 0)
		return err_set(e, EX_MALFORMED, "%s: only a part of a list", object);
	if (X509_CRL_get_ext_by_critical(list, 1, -1) >= 0 || !entries_plain(list))
		return err_set(e, EX_MALFORMED, "%s: has an unknown critical extension", object);
	c->entries = n > 0 ? (size_t)n : 0;
	cert_common_name(X509_CRL_get_issuer(list), c->issuer, sizeof(c->issuer));
	return 0;
}

int crl_read(const char *object, const uint8_t *data, size_t size, struct crl *out, struct err *e)
{
	*out = (struct crl){ 0 };
	if (size == 0 || size > CRL_FILE_MAX)
		return err_set(e, EX_MALFORMED, "%s: %zu bytes: not a revocation list (1 to %u)",
			       object, size, CRL_FILE_MAX);
	out->list = from_der(data, size);
	if (out->list == NULL)
		out->list = from_pem(data, size);
	if (out->list == NULL)
		return err_set(e, EX_MALFORMED, "%s: neither DER nor PEM of one revocation list",
			       object);
	int r = check_form(object, out, e);
	if (r == 0 && EVP_Digest(data, size, out->digest, NULL, EVP_sha256(), NULL) != 1)
		r = err_set(e, EX_INTERNAL, "%s: libcrypto cannot compute SHA-256", object);
	if (r < 0)
		crl_free(out);
	return r;
}

void crl_free(struct crl *c)
{
	X509_CRL_free(c->list);
	*c = (struct crl){ 0 };
}

/* TBSCertList.signature, for which libcrypto has no accessor: the second member of the first member
 * of the list, behind the version that check_form has seen (RFC 5280 section 5.1). NULL: none. */
static X509_ALGOR *inner_algorithm(X509_CRL *list)
{
	unsigned char *der = NULL;
	int n = i2d_X509_CRL(list, &der), tag = -1, class;
	const unsigned char *p = der;
	long left = n, size = 0;
	X509_ALGOR *alg = NULL;

	for (int depth = 0; depth < 3 && n > 0; depth++) {
		if ((ASN1_get_object(&p, &size, &tag, &class, left) & 0x80) != 0)
			n = 0;
		left = size;
	}
	/* p: the version's one byte; the limit is the whole list's, which bounds just as well. */
	if (n > 0 && tag == V_ASN1_INTEGER && size == 1) {
		p++;
		alg = d2i_X509_ALGOR(NULL, &p, der + n - p);
	}
	OPENSSL_free(der);
	ERR_clear_error();
	return alg;
}

/* Does the list's signature hold under issuer's key? */
static bool signature_holds(struct cert_cache *cache, const struct crl *c, const X509 *issuer,
			    EVP_PKEY *key)
{
	if (cert_cache_holds(cache, c->digest, issuer))
		return true;
	bool ok = X509_CRL_verify(c->list, key) == 1;
	ERR_clear_error();
	if (ok)
		cert_cache_held(cache, c->digest, issuer);
	return ok;
}

int crl_check_issuer_cached(struct cert_cache *cache, const char *object, const struct crl *c,
			    X509 *issuer, struct err *e)
{
	EVP_PKEY *key = X509_get0_pubkey(issuer);
	const X509_ALGOR *outer;

	if (X509_NAME_cmp(X509_CRL_get_issuer(c->list), X509_get_subject_name(issuer)) != 0)
		return err_set(e, EX_UNAUTHENTIC, "%s: of another issuer than the one given",
			       object);
	/* Without a keyUsage, basicConstraints alone must make it a CA. */
	if (X509_check_ca(issuer) != 1 || (X509_get_key_usage(issuer) & KU_CRL_SIGN) == 0)
		return err_set(e, EX_UNAUTHENTIC, "%s: its issuer may not sign revocation lists",
			       object);
	X509_CRL_get0_signature(c->list, NULL, &outer);
	X509_ALGOR *inner = inner_algorithm(c->list);
	if (inner == NULL)
		return err_set(e, EX_UNAUTHENTIC, "%s: names no algorithm in what is signed",
			       object);
	int r = signed_by_check(object, inner, outer, key, e);
	X509_ALGOR_free(inner);
	if (r < 0)
		return r;
	if (!signature_holds(cache, c, issuer, key))
		return err_set(e, EX_UNAUTHENTIC,
			       "%s: its signature does not hold under its issuer's key", object);
	return 0;
}

int crl_check_issuer(const char *object, const struct crl *c, X509 *issuer, struct err *e)
{
	return crl_check_issuer_cached(NULL, object, c, issuer, e);
}

int crl_check_time(const char *object, const struct crl *c, time_t now, struct err *e)
{
	char first[WHEN_TEXT_SIZE], last[WHEN_TEXT_SIZE];

	if (c->this_update <= now && now <= c->next_update)
		return 0;
	when_text(c->this_update, first);
	when_text(c->next_update, last);
	return err_set(e, EX_COLLATERAL, "%s: current from %s to %s only", object, first, last);
}

enum crl_answer crl_lookup(const struct crl *c, const X509 *cert)
{
	const STACK_OF(X509_REVOKED) *all = X509_CRL_get_REVOKED(c->list);
	const ASN1_INTEGER *serial = X509_get0_serialNumber(cert);

	if (X509_NAME_cmp(X509_CRL_get_issuer(c->list), X509_get_issuer_name(cert)) != 0)
		return CRL_OTHER_ISSUER;
	for (int i = 0; i < sk_X509_REVOKED_num(all); i++)
		if (ASN1_INTEGER_cmp(X509_REVOKED_get0_serialNumber(sk_X509_REVOKED_value(all, i)),
				     serial) == 0)
			return CRL_REVOKED;
	return CRL_GOOD;
}

int crl_check(const char *object, const struct crl *c, X509 *issuer, const char *what,
	      const X509 *cert, time_t now, struct err *e)
{
	int r = crl_check_issuer(object, c, issuer, e);

	if (r == 0)
		r = crl_check_time(object, c, now, e);
	if (r < 0)
		return r;
	switch (crl_lookup(c, cert)) {
	case CRL_GOOD:
		return 0;
	case CRL_REVOKED:
		return err_set(e, EX_UNAUTHENTIC, "%s: revoked by the list of \"%s\"", what,
			       c->issuer);
	case CRL_OTHER_ISSUER:
		break;
	}
	return err_set(e, EX_UNAUTHENTIC, "%s: the list of \"%s\" is not its issuer's", what,
		       c->issuer);
}
