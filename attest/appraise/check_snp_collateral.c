/* What collateral has for an SEV-SNP report (docs/PROTOCOL.collateral): the VEK of its chip and TCB
 * version, the chain above it, and the ARK's revocation list. It may hold those of many chips and
 * products: what fits is picked, and then checked like what came otherwise. */
#include "attest/appraise/check_snp.h"

#include <stdio.h>
#include <string.h>

#define ID "snp.collateral"

static const X509_NAME *issuer_of(const struct snp_certs *c, enum snp_role role)
{
	return c->cert[role] == NULL ? NULL : X509_get_issuer_name(c->cert[role]);
}

/* The key that the report names, of its chip and its REPORTED_TCB. */
static bool is_vek_of(X509 *cert, const struct snp_report *r)
{
	struct snp_vek v;
	struct err e = { 0 };

	if (snp_vek_parse(cert, &v, &e) < 0)
		return false;
	return v.is_vlek == (snp_report_signing_key(r) == SNP_KEY_VLEK) &&
	       memcmp(v.tcb, r->reported_tcb, SNP_TCB_SIZE) == 0 &&
	       (v.is_vlek || memcmp(v.hwid, r->chip_id, v.hwid_size) == 0);
}

static bool fits(X509 *cert, enum snp_role role, const struct snp_appraisal *a,
		 const struct snp_subject *s)
{
	const X509_NAME *name = X509_get_subject_name(cert);

	if (role == SNP_ROLE_VEK)
		return is_vek_of(cert, &s->report);
	const X509_NAME *wanted = issuer_of(a->certs, (enum snp_role)(role - 1));
	return wanted != NULL && X509_NAME_cmp(name, wanted) == 0 &&
	       cert_is_root(cert) == (role == SNP_ROLE_ARK);
}

/* From the report up, each by what the one below it names. */
static bool take(enum snp_role role, const struct snp_appraisal *a, const struct snp_subject *s)
{
	for (size_t i = 0; i < a->collateral->parts; i++) {
		const struct collateral_part *p = &a->collateral->part[i];
		for (size_t k = 0; p->kind == COLLATERAL_CERTS && k < p->certs.count; k++)
			if (fits(p->certs.cert[k], role, a, s) && X509_up_ref(p->certs.cert[k])) {
				a->certs->cert[role] = p->certs.cert[k];
				return true;
			}
	}
	return false;
}

void check_snp_collateral(const struct snp_appraisal *a, const struct snp_subject *s)
{
	char taken[32] = "";
	size_t used = 0;

	if (a->collateral_error != NULL) {
		check_fail_err(a->checks, ID, a->collateral_error);
		return;
	}
	if (a->collateral == NULL || a->collateral->parts == 0) {
		check_skip(a->checks, ID, "none given");
		return;
	}
	for (unsigned i = 0; i < SNP_ROLES; i++)
		if (a->certs->cert[i] == NULL && take((enum snp_role)i, a, s) &&
		    used < sizeof(taken))
			used += (size_t)snprintf(taken + used, sizeof(taken) - used, "%s%s",
						 used == 0 ? "" : ", ",
						 snp_role_name((enum snp_role)i));
	if (used == 0)
		check_skip(a->checks, ID, "no certificate is taken from it: none is missing, or "
					  "none of this report's is there");
	else
		check_pass(a->checks, ID, taken, "certificates that the evidence came without");
}

const struct crl *snp_collateral_list(const struct snp_appraisal *a, size_t *next,
				      const char **name)
{
	X509 *ark = a->certs->cert[SNP_ROLE_ARK];

	while (a->collateral != NULL && ark != NULL && *next < a->collateral->parts) {
		const struct collateral_part *p = &a->collateral->part[(*next)++];
		if (p->kind == COLLATERAL_CRL &&
		    X509_NAME_cmp(X509_CRL_get_issuer(p->crl.list), X509_get_subject_name(ark)) ==
			    0) {
			*name = p->origin;
			return &p->crl;
		}
	}
	return NULL;
}
