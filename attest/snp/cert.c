/* Certificates as files and tables carry them, and what one of them must be to issue another. */
#include "attest/snp/cert.h"

#include "attest/x509/cert.h"

#include <openssl/evp.h>

#define RSA_BITS 4096

static const char *const role_names[SNP_ROLES] = { "VEK", "ASK", "ARK" };

const char *snp_role_name(enum snp_role role)
{
	return role_names[role];
}

static enum snp_role role_of(X509 *cert)
{
	if (cert_is_root(cert))
		return SNP_ROLE_ARK;
	EVP_PKEY *key = X509_get0_pubkey(cert);
	return key != NULL && EVP_PKEY_is_a(key, "EC") ? SNP_ROLE_VEK : SNP_ROLE_ASK;
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
	struct certs all;
	int r = certs_read_cached(c->cache, object, data, size, &all, e);

	for (size_t i = 0; r == 0 && i < all.count; i++) {
		X509 *cert = all.cert[i];
		all.cert[i] = NULL; /* now add's */
		r = add(c, object, cert, e);
	}
	certs_free(&all);
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
		struct snp_certs one = { .cache = c->cache };
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

int snp_cert_check_issuer(enum snp_role role, X509 *cert, X509 *issuer, struct cert_cache *cache,
			  struct err *e)
{
	EVP_PKEY *key = X509_get0_pubkey(issuer);

	if (key == NULL || !EVP_PKEY_is_a(key, "RSA") || EVP_PKEY_get_bits(key) != RSA_BITS)
		return err_set(e, EX_UNAUTHENTIC, "%s: its issuer's key is not RSA of %d bits",
			       role_names[role], RSA_BITS);
	return cert_check_issued_cached(cache, role_names[role], cert, issuer, e);
}
