#include "attest/collateral/trust.h"

#include "attest/snp/cert.h"
#include "attest/tdx/chain.h"
#include "attest/x509/when.h"

#include <openssl/crypto.h>
#include <openssl/x509v3.h>
#include <string.h>

#define SIGNER_NAME "Intel SGX TCB Signing"

/* The proof under work. */
struct work {
	const struct collateral *c;
	const struct collateral_trust *t;
	bool amd; /* AMD's roots count, too */
	struct collateral_proof proof;
};

/* The worst answer stays, and of equals the first. */
static void answer(struct work *w, enum collateral_answer a, const struct err *why)
{
	if (a <= w->proof.answer)
		return;
	w->proof.answer = a;
	w->proof.why = *why;
}

static void until(struct work *w, time_t t)
{
	if (w->proof.until == 0 || t < w->proof.until)
		w->proof.until = t;
}

static void check_cert_time(struct work *w, const char *what, const X509 *cert)
{
	struct err e = { 0 };
	time_t end;

	if (cert_check_time(what, cert, w->t->now, &e) < 0)
		answer(w, COLLATERAL_STALE, &e);
	if (when_from_asn1(X509_get0_notAfter(cert), &end))
		until(w, end);
}

typedef bool visit(const struct work *w, X509 *cert, const void *with);

/* The first certificate of the collateral that answers. */
static X509 *find_cert(const struct work *w, visit *is_it, const void *with)
{
	for (size_t i = 0; i < w->c->parts; i++)
		for (size_t k = 0; k < w->c->part[i].certs.count; k++)
			if (is_it(w, w->c->part[i].certs.cert[k], with))
				return w->c->part[i].certs.cert[k];
	return NULL;
}

static bool names_issuer(const struct work *w, X509 *cert, const void *with)
{
	const X509_NAME *issuer = with;

	(void)w;
	return X509_NAME_cmp(X509_get_subject_name(cert), issuer) == 0;
}

static bool counts(const struct work *w, X509 *cert, bool *is_private)
{
	uint8_t digest[48];

	if (cert_key_digest(cert, digest) < 0)
		return false;
	*is_private = false;
	if (tdx_root_is_intel(digest) || (w->amd && snp_pinned_product(digest) != SNP_UNKNOWN))
		return true;
	*is_private = true;
	return w->t->root != NULL && CRYPTO_memcmp(w->t->root, digest, sizeof(digest)) == 0;
}

/* One with the right name may be another's: the one that signed is looked for first. */
static bool issued_it(const struct work *w, X509 *cert, const void *with)
{
	X509 *child = (X509 *)with;
	struct err unused = { 0 };

	return names_issuer(w, cert, X509_get_issuer_name(child)) &&
	       cert_check_issued_cached(w->c->cache, "certificate", child, cert, &unused) == 0;
}

/* From cert up to a root that counts; *issuer is the certificate right above cert. */
static void check_chain(struct work *w, X509 *cert, const char *what, X509 **issuer)
{
	struct err e = { 0 };
	bool is_private = false;

	*issuer = NULL;
	for (unsigned depth = 0; depth < 4; depth++) {
		X509 *up = find_cert(w, issued_it, cert);
		if (up == NULL) {
			up = find_cert(w, names_issuer, X509_get_issuer_name(cert));
			if (up == NULL)
				err_set(&e, EX_COLLATERAL,
					"%s: its issuer's certificate is missing", what);
			else
				cert_check_issued_cached(w->c->cache, what, cert, up, &e);
			answer(w, up == NULL ? COLLATERAL_MISSING : COLLATERAL_BAD, &e);
			return;
		}
		if (depth == 0)
			*issuer = up;
		check_cert_time(w, what, cert);
		if (up == cert)
			break;
		cert = up;
		what = "issuer";
	}
	if (cert_is_root(cert) && counts(w, cert, &is_private)) {
		w->proof.private_root = is_private;
		return;
	}
	/* Which root to trust is the caller's to say; another than the one said is a forgery. */
	err_set(&e, is_private && w->t->root == NULL ? EX_REFUSED : EX_UNAUTHENTIC,
		"%s: leads to a root that is neither the vendor's nor the one of --trust-root",
		what);
	answer(w, COLLATERAL_BAD, &e);
}

/* Has the root revoked the signer, by a list in the collateral? */
static void check_revoked(struct work *w, X509 *cert, X509 *issuer, const char *what)
{
	for (size_t i = 0; i < w->c->parts; i++) {
		const struct collateral_part *p = &w->c->part[i];
		struct err e = { 0 };
		if (p->kind != COLLATERAL_CRL || crl_lookup(&p->crl, cert) == CRL_OTHER_ISSUER)
			continue;
		if (crl_check_issuer_cached(w->c->cache, p->origin, &p->crl, issuer, &e) < 0) {
			answer(w, COLLATERAL_BAD, &e);
		} else if (crl_lookup(&p->crl, cert) == CRL_REVOKED) {
			err_set(&e, EX_UNAUTHENTIC, "%s: revoked by the list of \"%s\"", what,
				p->crl.issuer);
			answer(w, COLLATERAL_BAD, &e);
		} else if (crl_check_time(p->origin, &p->crl, w->t->now, &e) == 0) {
			w->proof.revocation_seen = true;
			until(w, p->crl.next_update);
		}
	}
}

struct signing {
	const struct collateral_part *part;
	bool verify;
};

/* Did this certificate's key sign the answer? */
static bool signature_holds(struct cert_cache *cache, const struct collateral_part *p, X509 *cert)
{
	struct err unused = { 0 };

	if (cert_cache_holds(cache, p->sha256, cert))
		return true;
	if (signed_json_verify(p->origin, &p->json, X509_get0_pubkey(cert), &unused) < 0)
		return false;
	cert_cache_held(cache, p->sha256, cert);
	return true;
}

/* A certificate that Intel makes for this purpose; with verify: whose key made the signature. */
static bool is_signer(const struct work *w, X509 *cert, const void *with)
{
	const struct signing *s = with;
	char name[64];

	cert_common_name(X509_get_subject_name(cert), name, sizeof(name));
	if (strcmp(name, SIGNER_NAME) != 0 || X509_check_ca(cert) != 0)
		return false;
	return !s->verify || signature_holds(w->c->cache, s->part, cert);
}

static void check_dates(struct work *w, const struct collateral_part *p)
{
	time_t issued = p->tcb != NULL ? p->tcb->issued : p->qe->issued;
	time_t next = p->tcb != NULL ? p->tcb->next_update : p->qe->next_update;
	char first[WHEN_TEXT_SIZE], last[WHEN_TEXT_SIZE];
	struct err e = { 0 };

	until(w, next);
	if (issued <= w->t->now && w->t->now <= next)
		return;
	when_text(issued, first);
	when_text(next, last);
	err_set(&e, EX_COLLATERAL, "%s: current from %s to %s only", p->origin, first, last);
	answer(w, COLLATERAL_STALE, &e);
}

struct collateral_proof collateral_prove_json(const struct collateral *c,
					      const struct collateral_part *p,
					      const struct collateral_trust *t)
{
	struct work w = { .c = c, .t = t };
	struct signing s = { .part = p, .verify = true };
	struct err e = { 0 };
	X509 *root;
	X509 *signer = find_cert(&w, is_signer, &s);

	check_dates(&w, p);
	if (signer == NULL) {
		s.verify = false;
		bool some = find_cert(&w, is_signer, &s) != NULL;
		err_set(&e, some ? EX_UNAUTHENTIC : EX_COLLATERAL,
			some ? "%s: not signed by the key of a certificate \"%s\" in the collateral"
			     : "%s: there is no certificate \"%s\" that could have signed it",
			p->origin, SIGNER_NAME);
		answer(&w, some ? COLLATERAL_BAD : COLLATERAL_MISSING, &e);
		return w.proof;
	}
	check_chain(&w, signer, SIGNER_NAME, &root);
	if (root != NULL)
		check_revoked(&w, signer, root, SIGNER_NAME);
	return w.proof;
}

static bool issued_list(const struct work *w, X509 *cert, const void *with)
{
	const struct collateral_part *p = with;
	struct err unused = { 0 };

	return crl_check_issuer_cached(w->c->cache, p->origin, &p->crl, cert, &unused) == 0;
}

struct collateral_proof collateral_prove_crl(const struct collateral *c,
					     const struct collateral_part *p,
					     const struct collateral_trust *t)
{
	struct work w = { .c = c, .t = t, .amd = true };
	struct err e = { 0 };
	X509 *up, *issuer = find_cert(&w, issued_list, p);

	until(&w, p->crl.next_update);
	if (crl_check_time(p->origin, &p->crl, t->now, &e) < 0)
		answer(&w, COLLATERAL_STALE, &e);
	e = (struct err){ 0 };
	if (issuer == NULL) {
		issuer = find_cert(&w, names_issuer, X509_CRL_get_issuer(p->crl.list));
		if (issuer == NULL)
			err_set(&e, EX_COLLATERAL,
				"%s: the certificate of its issuer, \"%s\", is missing", p->origin,
				p->crl.issuer);
		else
			crl_check_issuer_cached(w.c->cache, p->origin, &p->crl, issuer, &e);
		answer(&w, e.status == EX_COLLATERAL ? COLLATERAL_MISSING : COLLATERAL_BAD, &e);
		return w.proof;
	}
	check_chain(&w, issuer, "issuer", &up);
	if (up != NULL)
		check_revoked(&w, issuer, up, "issuer");
	return w.proof;
}

struct collateral_proof collateral_prove_cert(const struct collateral *c, X509 *cert,
					      const struct collateral_trust *t)
{
	struct work w = { .c = c, .t = t, .amd = true };
	char name[128];
	X509 *up;

	cert_common_name(X509_get_subject_name(cert), name, sizeof(name));
	check_chain(&w, cert, name, &up);
	if (up != NULL)
		check_revoked(&w, cert, up, name);
	return w.proof;
}
