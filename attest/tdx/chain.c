#include "attest/tdx/chain.h"

#include "attest/tdx/p256.h"
#include "attest/x509/cert.h"

#include <openssl/x509v3.h>

static const char *const role_names[TDX_ROLES] = { "PCK certificate", "PCK CA", "root CA" };

const char *tdx_role_name(enum tdx_role role)
{
	return role_names[role];
}

int tdx_chain_parse(const uint8_t *data, size_t size, struct cert_cache *cache,
		    struct tdx_chain *out, struct err *e)
{
	struct certs all;

	*out = (struct tdx_chain){ .cache = cache };
	int r = certs_read_cached(cache, "PCK chain", data, size, &all, e);
	if (r < 0)
		return r;
	if (all.count != TDX_ROLES) {
		r = err_set(e, EX_MALFORMED,
			    "PCK chain: %zu certificates, quotes have 3: PCK, PCK CA, root CA",
			    all.count);
		certs_free(&all);
		return r;
	}
	for (unsigned i = 0; i < TDX_ROLES; i++)
		out->cert[i] = all.cert[i];
	return 0;
}

void tdx_chain_free(struct tdx_chain *c)
{
	for (unsigned i = 0; i < TDX_ROLES; i++)
		X509_free(c->cert[i]);
	*c = (struct tdx_chain){ 0 };
}

/* May a certificate of this role do what its role is, and nothing else? */
static int check_use(X509 *cert, enum tdx_role role, struct err *e)
{
	const char *name = role_names[role];

	if (!p256_is_key(X509_get0_pubkey(cert)))
		return err_set(e, EX_UNAUTHENTIC, "%s: its key is not EC P-256", name);
	if (role == TDX_ROLE_PCK && X509_check_ca(cert) != 0)
		return err_set(e, EX_UNAUTHENTIC, "%s: it is a CA", name);
	if (role == TDX_ROLE_PCK && (X509_get_key_usage(cert) & KU_DIGITAL_SIGNATURE) == 0)
		return err_set(e, EX_UNAUTHENTIC, "%s: it may not sign", name);
	if (role == TDX_ROLE_ROOT && X509_get_pathlen(cert) == 0)
		return err_set(e, EX_UNAUTHENTIC, "%s: there may be no CA below it", name);
	return 0;
}

int tdx_chain_check_link(const struct tdx_chain *c, enum tdx_role role, struct err *e)
{
	X509 *issuer = c->cert[role == TDX_ROLE_ROOT ? role : role + 1];
	int r = check_use(c->cert[role], role, e);

	return r < 0 ? r
		     : cert_check_issued_cached(c->cache, role_names[role], c->cert[role],
						issuer, e);
}
