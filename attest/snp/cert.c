/* Certificates as files and tables carry them, and what one of them must be to issue another. */
#include "attest/snp/cert.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <string.h>

#define RSA_BITS 4096
#define PSS_SALT 48

static const char *const role_names[SNP_ROLES] = { "VEK", "ASK", "ARK" };

const char *snp_role_name(enum snp_role role)
{
	return role_names[role];
}

static enum snp_role role_of(X509 *cert)
{
	if (X509_NAME_cmp(X509_get_subject_name(cert), X509_get_issuer_name(cert)) == 0)
		return SNP_ROLE_ARK;
	EVP_PKEY *key = X509_get0_pubkey(cert);
	return key != NULL && EVP_PKEY_is_a(key, "EC") ? SNP_ROLE_VEK : SNP_ROLE_ASK;
}

/* One certificate of DER, whole and in the only form DER has: a changed length byte that libcrypto
 * reads over would be a byte that no signature covers. */
static X509 *from_der(const uint8_t *data, size_t size)
{
	const unsigned char *p = data;
	unsigned char *again = NULL;
	X509 *cert = size <= SNP_CERT_FILE_MAX ? d2i_X509(NULL, &p, (long)size) : NULL;
	int n = cert != NULL ? i2d_X509(cert, &again) : -1;
	bool same = n > 0 && (size_t)n == size && memcmp(again, data, size) == 0;

	OPENSSL_free(again);
	ERR_clear_error();
	if (same)
		return cert;
	X509_free(cert);
	return NULL;
}

/* The next certificate of PEM text; NULL at its end. *bad: something else stands there. */
static X509 *next_pem(BIO *text, bool *bad)
{
	char *name = NULL, *header = NULL;
	unsigned char *data = NULL;
	long size = 0;
	X509 *cert = NULL;

	if (PEM_read_bio(text, &name, &header, &data, &size) == 1) {
		if (strcmp(name, PEM_STRING_X509) == 0 && header[0] == '\0' && size > 0)
			cert = from_der(data, (size_t)size);
		*bad = cert == NULL;
	} else {
		*bad = ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE;
	}
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_free(data);
	ERR_clear_error();
	return cert;
}

/* Takes ownership of cert. */
static int add(struct snp_certs *c, const char *object, X509 *cert, struct err *e)
{
	enum snp_role role = role_of(cert);

	if (c->cert[role] == NULL) {
		c->cert[role] = cert;
		return 0;
	}
	int differ = X509_cmp(c->cert[role], cert);
	X509_free(cert);
	if (differ != 0)
		return err_set(e, EX_MALFORMED, "%s: a second, different %s certificate", object,
			       role_names[role]);
	return 0;
}

int snp_certs_add(struct snp_certs *c, const char *object, const uint8_t *data, size_t size,
		  struct err *e)
{
	X509 *cert = from_der(data, size);
	bool bad = false;
	int r = 0, found = 0;

	if (cert != NULL)
		return add(c, object, cert, e);
	if (size == 0 || size > SNP_CERT_FILE_MAX)
		return err_set(e, EX_MALFORMED, "%s: %zu bytes: not a certificate", object, size);
	BIO *text = BIO_new_mem_buf(data, (int)size);
	if (text == NULL)
		return err_set(e, EX_HOST, "out of memory");
	while (r == 0 && (cert = next_pem(text, &bad)) != NULL) {
		r = add(c, object, cert, e);
		found++;
	}
	BIO_free(text);
	if (r == 0 && (bad || found == 0))
		return err_set(e, EX_MALFORMED,
			       "%s: neither DER of one certificate nor PEM of certificates",
			       object);
	return r;
}

int snp_certs_add_table(struct snp_certs *c, const struct snp_cert_table *t,
			enum snp_signing_key key, struct err *e)
{
	static const enum snp_cert_kind upper[] = { SNP_CERT_KINDS, SNP_CERT_ASK, SNP_CERT_ARK };

	for (unsigned role = 0; role < SNP_ROLES; role++) {
		enum snp_cert_kind kind = role != SNP_ROLE_VEK	? upper[role]
					  : key == SNP_KEY_VLEK ? SNP_CERT_VLEK
								: SNP_CERT_VCEK;
		struct snp_certs one = { 0 };
		if (c->cert[role] != NULL || t->cert[kind].data == NULL)
			continue;
		int r = snp_certs_add(&one, "certificate table", t->cert[kind].data,
				      t->cert[kind].size, e);
		/* The right one, and nothing else: roles do not mix. */
		if (r == 0 && (one.cert[role] == NULL || one.cert[(role + 1) % SNP_ROLES] != NULL ||
			       one.cert[(role + 2) % SNP_ROLES] != NULL))
			r = err_set(e, EX_MALFORMED,
				    "certificate table: its %s entry holds another certificate",
				    role_names[role]);
		if (r < 0) {
			snp_certs_free(&one);
			return r;
		}
		c->cert[role] = one.cert[role];
	}
	return 0;
}

void snp_certs_free(struct snp_certs *c)
{
	for (unsigned i = 0; i < SNP_ROLES; i++)
		X509_free(c->cert[i]);
	*c = (struct snp_certs){ 0 };
}

/* RSASSA-PSS with SHA-384, MGF1 with SHA-384 and a salt of 48 bytes: 57230 knows no other, and
 * libcrypto would take what the certificate itself asks for. */
static bool is_amd_pss(const X509 *cert)
{
	const X509_ALGOR *alg = X509_get0_tbs_sigalg(cert);
	const ASN1_OBJECT *id, *digest, *mask = NULL;
	const void *value;
	int type;

	X509_ALGOR_get0(&id, &type, &value, alg);
	if (OBJ_obj2nid(id) != NID_rsassaPss || type != V_ASN1_SEQUENCE)
		return false;
	RSA_PSS_PARAMS *p =
		ASN1_item_unpack((const ASN1_STRING *)value, ASN1_ITEM_rptr(RSA_PSS_PARAMS));
	bool ok = p != NULL && p->hashAlgorithm != NULL && p->maskGenAlgorithm != NULL &&
		  p->saltLength != NULL && ASN1_INTEGER_get(p->saltLength) == PSS_SALT;
	X509_ALGOR *inner = NULL;
	if (ok) {
		X509_ALGOR_get0(&digest, NULL, NULL, p->hashAlgorithm);
		X509_ALGOR_get0(&mask, &type, &value, p->maskGenAlgorithm);
		ok = OBJ_obj2nid(digest) == NID_sha384 && OBJ_obj2nid(mask) == NID_mgf1 &&
		     type == V_ASN1_SEQUENCE &&
		     (inner = ASN1_item_unpack((const ASN1_STRING *)value,
					       ASN1_ITEM_rptr(X509_ALGOR))) != NULL;
	}
	if (ok) {
		X509_ALGOR_get0(&digest, NULL, NULL, inner);
		ok = OBJ_obj2nid(digest) == NID_sha384;
	}
	X509_ALGOR_free(inner);
	RSA_PSS_PARAMS_free(p);
	return ok;
}

int snp_cert_check_issuer(enum snp_role role, X509 *cert, X509 *issuer, struct err *e)
{
	const char *name = role_names[role];
	EVP_PKEY *key = X509_get0_pubkey(issuer);

	if (X509_NAME_cmp(X509_get_issuer_name(cert), X509_get_subject_name(issuer)) != 0)
		return err_set(e, EX_UNAUTHENTIC, "%s: names another issuer than the one given",
			       name);
	if (key == NULL || !EVP_PKEY_is_a(key, "RSA") || EVP_PKEY_get_bits(key) != RSA_BITS)
		return err_set(e, EX_UNAUTHENTIC, "%s: its issuer's key is not RSA of %d bits",
			       name, RSA_BITS);
	/* 1: a CA by basicConstraints, and by keyUsage if it has one; the older ways of being one
	 * do not count. */
	if (X509_check_ca(issuer) != 1)
		return err_set(e, EX_UNAUTHENTIC,
			       "%s: its issuer is not a CA that may sign certificates", name);
	if (!is_amd_pss(cert))
		return err_set(e, EX_UNAUTHENTIC,
			       "%s: not signed with RSASSA-PSS, SHA-384 and a salt of %d bytes",
			       name, PSS_SALT);
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

int snp_cert_check_time(enum snp_role role, X509 *cert, time_t now, struct err *e)
{
	const ASN1_TIME *from = X509_get0_notBefore(cert), *to = X509_get0_notAfter(cert);
	char first[32], last[32];

	/* X509_cmp_time: -1 before or at, 1 after, 0 malformed. */
	if (X509_cmp_time(from, &now) < 0 && X509_cmp_time(to, &now) > 0)
		return 0;
	time_text(from, first, sizeof(first));
	time_text(to, last, sizeof(last));
	return err_set(e, EX_COLLATERAL, "%s: valid from %s to %s only", role_names[role], first,
		       last);
}

void snp_cert_name(X509 *cert, char *out, size_t size)
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

int snp_key_digest(X509 *cert, uint8_t out[48])
{
	unsigned char *der = NULL;
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
	int ok = n > 0 && EVP_Digest(der, (size_t)n, out, NULL, EVP_sha384(), NULL);

	OPENSSL_free(der);
	return ok ? 0 : -1;
}
