/* Are the certificates under a quote on a revocation list? */
#include "attest/appraise/check_tdx.h"

#include <stdio.h>
#include <string.h>

/* What the lists say of one certificate. */
enum answer { ANSWER_GOOD, ANSWER_MISSING, ANSWER_STALE, ANSWER_BAD };

/* A revoked certificate is revoked, however old the list that says so. */
static enum answer ask(const struct tdx_appraisal *a, const struct crl *list, X509 *issuer,
		       const X509 *cert, const char *what, struct err *e)
{
	char object[160];

	snprintf(object, sizeof(object), "revocation list of \"%s\"", list->issuer);
	if (crl_check_issuer_cached(a->cache, object, list, issuer, e) < 0)
		return ANSWER_BAD;
	if (crl_lookup(list, cert) == CRL_REVOKED) {
		err_set(e, EX_UNAUTHENTIC, "%s: its issuer has revoked it", what);
		return ANSWER_BAD;
	}
	return crl_check_time(object, list, a->now, e) < 0 ? ANSWER_STALE : ANSWER_GOOD;
}

/* No list of the certificate's issuer may have revoked it, and one must be current: collateral that
 * was gathered over time holds older ones, too. */
static enum answer ask_all(const struct tdx_appraisal *a, const struct tdx_subject *s,
			   enum tdx_role role, struct err *e)
{
	const X509 *cert = s->chain.cert[role];
	enum answer worst = ANSWER_MISSING;
	bool current = false;

	for (size_t i = 0; a->collateral != NULL && i < a->collateral->parts; i++) {
		const struct collateral_part *part = &a->collateral->part[i];
		if (part->kind != COLLATERAL_CRL ||
		    crl_lookup(&part->crl, cert) == CRL_OTHER_ISSUER)
			continue;
		struct err here = { 0 };
		enum answer one = ask(a, &part->crl, s->chain.cert[role + 1], cert,
				      tdx_role_name(role), &here);
		current |= one == ANSWER_GOOD;
		if (worst == ANSWER_MISSING || one > worst) {
			worst = one;
			*e = here;
		}
	}
	if (worst == ANSWER_STALE && current)
		return ANSWER_GOOD;
	if (worst == ANSWER_MISSING)
		err_set(e, EX_COLLATERAL, "no revocation list of the issuer of the %s",
			tdx_role_name(role));
	return worst;
}

void check_tdx_revocation(const struct tdx_appraisal *a, const struct tdx_subject *s)
{
	static const enum tdx_role roles[] = { TDX_ROLE_CA, TDX_ROLE_PCK };
	static const char next[] = "fetch Intel's root CA CRL and PCK CRL, give them in "
				   "--collateral";
	bool need_list = a->policy != NULL && a->policy->require_revocation;
	bool need_date = a->policy == NULL || a->policy->require_collateral || need_list;
	enum answer worst = ANSWER_GOOD;
	struct err why = { 0 };

	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
		struct err e = { 0 };
		enum answer one = ask_all(a, s, roles[i], &e);
		if (one > worst) {
			worst = one;
			why = e;
		}
	}
	if (worst == ANSWER_GOOD) {
		check_pass(a->checks, "tdx.revocation", NULL,
			   "neither PCK certificate nor PCK CA is on its issuer's list");
	} else if ((worst == ANSWER_MISSING && !need_list) ||
		   (worst == ANSWER_STALE && !need_date)) {
		check_skip(a->checks, "tdx.revocation", "%s", why.text);
		check_tell(a->checks, NULL, NULL, next);
	} else {
		check_fail_err(a->checks, "tdx.revocation", &why);
		if (worst != ANSWER_BAD)
			check_tell(a->checks, NULL, NULL, next);
	}
}
