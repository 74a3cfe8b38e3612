#include "attest/tdx/chain.h"

#include "attest/tdx/p256.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

#define PEM_BEGIN "-----BEGIN CERTIFICATE-----"
#define PEM_END "-----END CERTIFICATE-----"

static const char *const role_names[TDX_ROLES] = { "PCK certificate", "PCK CA", "root CA" };

const char *tdx_role_name(enum tdx_role role)
{
	return role_names[role];
}

/* The certificate that *data begins with, in the only form DER has; moves *data and *size behind
 * it. NULL: there is none. */
static X509 *take_der(const uint8_t **data, size_t *size)
{
	const unsigned char *p = *data;
	unsigned char *again = NULL;
	X509 *cert = *size <= INT32_MAX ? d2i_X509(NULL, &p, (long)*size) : NULL;
	int n = cert != NULL ? i2d_X509(cert, &again) : -1;
	bool same = n > 0 && p - *data == n && memcmp(again, *data, (size_t)n) == 0;

	OPENSSL_free(again);
	ERR_clear_error();
	if (!same) {
		X509_free(cert);
		return NULL;
	}
	*size -= (size_t)n;
	*data = p;
	return cert;
}

static void skip_blank(const uint8_t **data, size_t *size)
{
	while (*size > 0 && (**data == '\0' || **data == '\n' || **data == '\r' || **data == ' ' ||
			     **data == '\t')) {
		++*data;
		--*size;
	}
}

static bool begins(const uint8_t *data, size_t size, const char *text)
{
	return size >= strlen(text) && memcmp(data, text, strlen(text)) == 0;
}

/* The certificate of the PEM block that *data begins with; moves both behind it. */
static X509 *take_pem(const uint8_t **data, size_t *size)
{
	const uint8_t *end = memmem(*data, *size, PEM_END, strlen(PEM_END));
	char *name = NULL, *header = NULL;
	unsigned char *der = NULL;
	long der_size = 0;
	X509 *cert = NULL;

	if (end == NULL)
		return NULL;
	size_t block = (size_t)(end - *data) + strlen(PEM_END);
	BIO *text = block <= INT32_MAX ? BIO_new_mem_buf(*data, (int)block) : NULL;
	if (text != NULL && PEM_read_bio(text, &name, &header, &der, &der_size) == 1 &&
	    header[0] == '\0' && der_size > 0) {
		const uint8_t *p = der;
		size_t left = (size_t)der_size;
		cert = take_der(&p, &left);
		if (left != 0) {
			X509_free(cert);
			cert = NULL;
		}
	}
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_free(der);
	BIO_free(text);
	ERR_clear_error();
	*data += block;
	*size -= block;
	return cert;
}

int tdx_chain_parse(const uint8_t *data, size_t size, struct tdx_chain *out, struct err *e)
{
	bool pem;

	*out = (struct tdx_chain){ 0 };
	skip_blank(&data, &size);
	pem = begins(data, size, PEM_BEGIN);
	for (unsigned i = 0; i < TDX_ROLES; i++) {
		if (pem && !begins(data, size, PEM_BEGIN))
			out->cert[i] = NULL;
		else
			out->cert[i] = pem ? take_pem(&data, &size) : take_der(&data, &size);
		if (out->cert[i] == NULL) {
			tdx_chain_free(out);
			return err_set(e, EX_MALFORMED,
				       "PCK chain: certificate %u of 3 (%s) is missing or "
				       "malformed",
				       i + 1, role_names[i]);
		}
		if (pem)
			skip_blank(&data, &size);
	}
	skip_blank(&data, &size);
	if (size == 0)
		return 0;
	tdx_chain_free(out);
	return err_set(e, EX_MALFORMED, "PCK chain: %zu bytes follow the root certificate", size);
}

void tdx_chain_free(struct tdx_chain *c)
{
	for (unsigned i = 0; i < TDX_ROLES; i++)
		X509_free(c->cert[i]);
	*c = (struct tdx_chain){ 0 };
}

/* May a certificate of this role do what its role is, and nothing above it? */
static int check_use(X509 *cert, enum tdx_role role, struct err *e)
{
	const char *name = role_names[role];
	uint32_t usage = X509_get_key_usage(cert);
	long below = X509_get_pathlen(cert);

	if (!p256_is_key(X509_get0_pubkey(cert)))
		return err_set(e, EX_UNAUTHENTIC, "%s: its key is not EC P-256", name);
	if (role == TDX_ROLE_PCK && X509_check_ca(cert) != 0)
		return err_set(e, EX_UNAUTHENTIC, "%s: it is a CA", name);
	if (role == TDX_ROLE_PCK)
		return (usage & KU_DIGITAL_SIGNATURE) != 0
			       ? 0
			       : err_set(e, EX_UNAUTHENTIC, "%s: it may not sign", name);
	/* 1: a CA by basicConstraints, and by keyUsage if it has one; the older ways of being one
	 * do not count. */
	if (X509_check_ca(cert) != 1)
		return err_set(e, EX_UNAUTHENTIC, "%s: it may not sign certificates", name);
	if (role == TDX_ROLE_ROOT && below == 0)
		return err_set(e, EX_UNAUTHENTIC, "%s: there may be no CA below it", name);
	return 0;
}

int tdx_chain_check_link(const struct tdx_chain *c, enum tdx_role role, struct err *e)
{
	const char *name = role_names[role];
	X509 *cert = c->cert[role];
	X509 *issuer = c->cert[role == TDX_ROLE_ROOT ? role : role + 1];
	EVP_PKEY *key = X509_get0_pubkey(issuer);

	int r = check_use(cert, role, e);
	if (r < 0)
		return r;
	if (X509_NAME_cmp(X509_get_issuer_name(cert), X509_get_subject_name(issuer)) != 0)
		return err_set(e, EX_UNAUTHENTIC, "%s: names another issuer than the one above it",
			       name);
	if (!p256_is_key(key) || X509_check_ca(issuer) != 1)
		return err_set(e, EX_UNAUTHENTIC,
			       "%s: its issuer is not a CA with a key of EC P-256", name);
	if (X509_get_signature_nid(cert) != NID_ecdsa_with_SHA256)
		return err_set(e, EX_UNAUTHENTIC, "%s: not signed with ECDSA and SHA-256", name);
	int ok = X509_verify(cert, key);
	ERR_clear_error();
	if (ok != 1)
		return err_set(e, EX_UNAUTHENTIC,
			       "%s: its signature does not hold under its issuer's key", name);
	return 0;
}

static void time_text(const ASN1_TIME *t, char *out, size_t size)
{
	struct tm tm = { 0 };

	if (ASN1_TIME_to_tm(t, &tm) != 1 || strftime(out, size, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		out[0] = '\0';
}

int tdx_chain_check_time(const struct tdx_chain *c, enum tdx_role role, time_t now, struct err *e)
{
	const ASN1_TIME *from = X509_get0_notBefore(c->cert[role]);
	const ASN1_TIME *to = X509_get0_notAfter(c->cert[role]);
	char first[32], last[32];

	/* X509_cmp_time: -1 before or at, 1 after, 0 malformed. */
	if (X509_cmp_time(from, &now) < 0 && X509_cmp_time(to, &now) > 0)
		return 0;
	time_text(from, first, sizeof(first));
	time_text(to, last, sizeof(last));
	return err_set(e, EX_COLLATERAL, "%s: valid from %s to %s only", role_names[role], first,
		       last);
}

int tdx_key_digest(const X509 *cert, uint8_t out[48])
{
	unsigned char *der = NULL;
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
	int ok = n > 0 && EVP_Digest(der, (size_t)n, out, NULL, EVP_sha384(), NULL);

	OPENSSL_free(der);
	ERR_clear_error();
	return ok ? 0 : -1;
}

void tdx_cert_name(const X509 *cert, char *out, size_t size)
{
	X509_NAME *name = X509_get_subject_name(cert);
	int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);

	out[0] = '\0';
	if (at < 0 || X509_NAME_get_index_by_NID(name, NID_commonName, at) >= 0)
		return;
	const ASN1_STRING *text = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
	size_t n = (size_t)ASN1_STRING_length(text);
	if (n >= size || memchr(ASN1_STRING_get0_data(text), '\0', n) != NULL)
		return;
	memcpy(out, ASN1_STRING_get0_data(text), n);
	out[n] = '\0';
}
