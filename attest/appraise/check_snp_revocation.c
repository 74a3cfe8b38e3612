/* AMD's revocation lists (57230 "Certificate Revocation List"): one per product, issued by its ARK
 * over what that ARK issued, the ASK or ASVK and itself. Every VEK has serial number 0, so that no
 * list can tell one from another: a VEK goes out of use by a newer TCB version, not by a list. */
#include "attest/appraise/check_snp.h"
#include "attest/x509/crl.h"

#include <stdio.h>
#include <string.h>

#define ID "snp.revocation"

enum outcome { LIST_FAILED, LIST_OTHER, LIST_EXPIRED, LIST_GOOD };

static void tell_fetch(const struct snp_appraisal *a, const struct snp_subject *s)
{
	char next[160];

	snprintf(next, sizeof(next), "give with --crl or --collateral AMD's current revocation list of %s",
		 snp_product_name(s->product));
	check_tell(a->checks, "CRL", NULL, next);
}

/* Is one of the chain on the list? Fails the check. */
static bool on_list(const struct snp_appraisal *a, const char *name, const struct crl *c)
{
	for (unsigned i = 0; i < SNP_ROLES; i++) {
		X509 *cert = a->certs->cert[i];
		if (cert == NULL || crl_lookup(c, cert) != CRL_REVOKED)
			continue;
		check_fail(a->checks, ID, EX_UNAUTHENTIC, NULL, NULL,
			   i == SNP_ROLE_VEK
				   ? "%s: the list of \"%s\" has serial number 0, which is that of "
				     "the %s and of every other one"
				   : "%s: the list of \"%s\" revokes the %s",
			   name, c->issuer, snp_role_name((enum snp_role)i));
		check_tell(a->checks, snp_role_name((enum snp_role)i), NULL,
			   "no report under this chain can be trusted: wait for AMD's new one");
		return true;
	}
	return false;
}

static enum outcome judge_list(const struct snp_appraisal *a, const struct snp_subject *s,
			       const char *name, const struct crl *c)
{
	bool lenient = a->policy != NULL && a->policy->allow_expired;
	X509 *issuer = NULL;
	struct err e = { 0 };

	for (unsigned i = SNP_ROLE_ASK; i <= SNP_ROLE_ARK; i++)
		if (a->certs->cert[i] != NULL &&
		    X509_NAME_cmp(X509_CRL_get_issuer(c->list),
				  X509_get_subject_name(a->certs->cert[i])) == 0)
			issuer = a->certs->cert[i];
	if (issuer == NULL)
		return LIST_OTHER;
	if (crl_check_issuer_cached(a->certs->cache, name, c, issuer, &e) < 0) {
		check_fail_err(a->checks, ID, &e);
		check_tell(a->checks, "CRL", NULL, NULL);
		return LIST_FAILED;
	}
	/* Whatever is on it stays revoked when the list grows old. */
	if (on_list(a, name, c))
		return LIST_FAILED;
	if (crl_check_time(name, c, a->now, &e) < 0) {
		if (lenient && c->this_update <= a->now)
			return LIST_EXPIRED;
		check_fail_err(a->checks, ID, &e);
		tell_fetch(a, s);
		return LIST_FAILED;
	}
	/* The ASK's own list would speak of VEKs only. */
	return issuer == a->certs->cert[SNP_ROLE_ARK] ? LIST_GOOD : LIST_OTHER;
}

/* Every list counts, and the first that fails ends the check. */
static enum outcome judge_lists(const struct snp_appraisal *a, const struct snp_subject *s)
{
	enum outcome best = LIST_OTHER;

	for (size_t i = 0; i < a->crl_count; i++) {
		const struct blob *b = &a->crl[i];
		struct err e = { 0 };
		struct crl c;
		enum outcome got = LIST_FAILED;
		const char *name = b->name != NULL ? b->name : "revocation list";
		if (crl_read(name, b->data, b->size, &c, &e) < 0)
			check_fail_err(a->checks, ID, &e);
		else
			got = judge_list(a, s, name, &c);
		crl_free(&c);
		if (got == LIST_FAILED)
			return got;
		best = got > best ? got : best;
	}
	const char *name = NULL;
	size_t next = 0;
	for (const struct crl *c; (c = snp_collateral_list(a, &next, &name)) != NULL;) {
		enum outcome got = judge_list(a, s, name, c);
		if (got == LIST_FAILED)
			return got;
		best = got > best ? got : best;
	}
	return best;
}

static bool any_list(const struct snp_appraisal *a)
{
	const char *name = NULL;
	size_t next = 0;

	return a->crl_count > 0 || snp_collateral_list(a, &next, &name) != NULL;
}

void check_snp_revocation(const struct snp_appraisal *a, const struct snp_subject *s)
{
	static const char what[] = "ARK and ASK were not looked up";

	if (!any_list(a) && a->policy != NULL && a->policy->require_revocation) {
		check_fail(a->checks, ID, EX_COLLATERAL, "no revocation list", "--crl F",
			   "the policy demands a revocation list: %s", what);
		tell_fetch(a, s);
		return;
	}
	if (!any_list(a)) {
		check_skip(a->checks, ID, "no revocation list given: %s", what);
		return;
	}
	switch (judge_lists(a, s)) {
	case LIST_GOOD:
		check_pass(a->checks, ID, NULL,
			   "neither ARK nor ASK is on the ARK's list (no list can name a VEK: all "
			   "have serial number 0)");
		break;
	case LIST_EXPIRED:
		check_skip(a->checks, ID,
			   "neither ARK nor ASK is on the ARK's list, which is no longer current: "
			   "the policy takes it all the same");
		break;
	case LIST_OTHER:
		check_fail(a->checks, ID, EX_COLLATERAL, NULL, NULL,
			   "no list given is the ARK's: %s", what);
		tell_fetch(a, s);
		break;
	case LIST_FAILED:
		break; /* said where it did */
	}
}
