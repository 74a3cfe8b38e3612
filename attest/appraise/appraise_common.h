/* What the appraisals of every kind of evidence begin with: policy, freshness, reference values. */
#ifndef PAVISE_ATTEST_APPRAISE_APPRAISE_COMMON_H
#define PAVISE_ATTEST_APPRAISE_APPRAISE_COMMON_H

#include "attest/appraise/check_snp.h"
#include "attest/appraise/request.h"
#include "attest/collateral/collateral.h"
#include "attest/measure/expect.h"
#include "attest/measure/tdx/plan.h"

/* Why a claim is not judged under --policy none: checks then have no policy. */
#define UNJUDGED "policy none: not judged"
/* … and when it is for another kind of machine (tee.evidence fails). */
#define UNJUDGED_TEE "the policy is for another kind of machine"
/* … and under a TEE, whose owner does not trust the host. */
#define HOST_VTPM "what the host's vTPM says is not judged"

/* Check "policy.given", and what to judge by: given, or *assumed (the built-in "recommended") in
 * place of a policy that is missing. Sets out->only_authentic for policy none. */
const struct policy *check_policy_given(const struct policy *given, struct policy *assumed,
					struct checks *out);

/* Why nothing of evidence of this kind can be judged by *p; NULL: it can. */
const char *policy_unjudged(const struct policy *p, enum evidence_tee tee);

/* Check "tee.evidence" for evidence that is a report or quote alone. */
void check_tee_alone(const struct policy *p, enum evidence_tee tee, struct checks *out);

/* Check "freshness" of evidence whose only place for a nonce are the 64 bytes at report_data (NULL:
 * the evidence is malformed). */
void check_report_freshness(const struct request *r, const struct policy *p,
			    const uint8_t *report_data, struct checks *out);

/* What REPORT_DATA must be: r->report_data, or the nonce with zero bytes behind it, put together in
 * room; NULL: nobody said. */
const uint8_t *wanted_report_data(const struct request *r, uint8_t room[64]);

/* A plan taken apart for the policy that names it; zeroed by the caller, nothing to free. */
struct plan_reference {
	struct plan plan;
	struct plain_contents contents;
	struct expect_base base;  /* of a plain machine's plan, or a trust domain's */
	struct snp_reference snp; /* of an SEV-SNP guest's plan: count not 0 */
	struct tdx_measured tdx;  /* of a trust domain's plan */
	bool given;
};

/* Opens r->plan if the policy names one. -EX_MALFORMED, -EX_USAGE_ERROR (named, not given),
 * -EX_INTERNAL. */
int plan_reference_open(const struct request *r, const struct policy *p, struct plan_reference *out,
			struct err *e);

/* Certificates of a request: r->vek and r->chain into *certs, r->trust_root into *trusted (its ARK
 * only). To be freed, even after an error. -EX_MALFORMED. */
int request_snp_certs(const struct request *r, struct snp_certs *certs, struct snp_certs *trusted,
		      struct err *e);

/* r->trust_root, of any vendor, as the one certificate of *out; none when it is not given. To be freed
 * with certs_free, even after an error. -EX_MALFORMED. */
int request_root(const struct request *r, struct certs *out, struct err *e);

/* The collateral of a request into *out (collateral_free it). What cannot be read is told in *fault,
 * for a check to tell on, and what can be read is there: a folder may hold other files, too.
 * -EX_HOST. */
int request_collateral(const struct request *r, struct collateral *out, struct err *fault,
		       struct err *e);

/* The same, or what r->warm has of it; and its end: collateral without a fault is kept there. */
int request_collateral_open(const struct request *r, struct collateral *out, struct err *fault,
			    struct err *e);
void request_collateral_close(const struct request *r, struct collateral *c,
			      const struct err *fault);

#endif
