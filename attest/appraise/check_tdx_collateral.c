/* Intel's signed answers about a platform: are they Intel's, of this platform, in date? */
#include "attest/appraise/check_tdx.h"

#include "attest/collateral/trust.h"
#include "attest/x509/cert.h"
#include "common/bytes.h"

#include <stdio.h>

static bool has_kind(const struct tdx_appraisal *a, enum collateral_kind kind)
{
	for (size_t i = 0; a->collateral != NULL && i < a->collateral->parts; i++)
		if (a->collateral->part[i].kind == kind)
			return true;
	return false;
}

static bool demands_collateral(const struct tdx_appraisal *a)
{
	return a->policy != NULL && a->policy->require_collateral;
}

/* Where to get what is missing or does not fit. */
static void tell_next(const struct tdx_appraisal *a, const struct tdx_subject *s, const char *name)
{
	char next[160], fmspc[13] = "?";

	if (s->pck_ok)
		hex_encode(s->pck.fmspc, sizeof(s->pck.fmspc), fmspc);
	snprintf(next, sizeof(next),
		 "fetch %s (FMSPC %s) from Intel's PCS, give --collateral FILE or FOLDER", name,
		 fmspc);
	check_tell(a->checks, NULL, NULL, next);
}

static void without(const struct tdx_appraisal *a, const struct tdx_subject *s, const char *id,
		    const char *name)
{
	if (demands_collateral(a))
		check_fail(a->checks, id, EX_COLLATERAL, "none", "--collateral F",
			   "no %s: nothing says how good this platform is", name);
	else
		check_skip(a->checks, id, "no %s given", name);
	tell_next(a, s, name);
}

/* Proves one answer; stale is what of it is out of date, for check_dates(). False: of no use. */
static bool prove(const struct tdx_appraisal *a, const struct collateral_part *part, const char *id,
		  const char *good, struct err *stale)
{
	uint8_t root[48];
	bool has_root = a->trust_root != NULL && cert_key_digest(a->trust_root, root) == 0;
	const struct collateral_trust trust = { .root = has_root ? root : NULL, .now = a->now };
	struct collateral_proof proof = collateral_prove_json(a->collateral, part, &trust);

	if (proof.answer == COLLATERAL_MISSING && !demands_collateral(a)) {
		check_skip(a->checks, id, "%s", proof.why.text);
		return false;
	}
	if (proof.answer > COLLATERAL_STALE) {
		check_fail(a->checks, id, (enum exit_status)proof.why.status, part->origin, NULL,
			   "%s", proof.why.text);
		return false;
	}
	if (proof.answer == COLLATERAL_STALE && stale->status == EX_OK)
		*stale = proof.why;
	a->checks->private_root |= proof.private_root;
	check_pass(a->checks, id, part->origin, "signed by %s, %s",
		   proof.private_root ? "the private root's owner, not Intel" : "Intel", good);
	return true;
}

/* TCB info of another kind of platform says nothing of this one. */
static void check_tcb_info(const struct tdx_appraisal *a, struct tdx_subject *s, struct err *stale)
{
	static const char id[] = "tdx.tcb_info", name[] = "TCB info";
	char fmspc[13];

	if (!has_kind(a, COLLATERAL_TCB_INFO)) {
		without(a, s, id, name);
		return;
	}
	if (!s->pck_ok) {
		check_skip(a->checks, id,
			   "the PCK certificate does not say what kind of platform "
			   "this is");
		return;
	}
	const struct collateral_part *part =
		collateral_tcb_info(a->collateral, s->pck.fmspc, s->pck.pce_id, a->now);
	if (part == NULL) {
		hex_encode(s->pck.fmspc, sizeof(s->pck.fmspc), fmspc);
		check_fail(a->checks, id, EX_COLLATERAL, "of other platforms", fmspc,
			   "the TCB info given is for other kinds of platforms (FMSPC, PCEID)");
		tell_next(a, s, name);
	} else if (prove(a, part, id, "of this kind of platform", stale)) {
		s->tcb_info = part->tcb;
	}
}

static void check_qe_identity(const struct tdx_appraisal *a, struct tdx_subject *s,
			      struct err *stale)
{
	static const char id[] = "tdx.qe_identity";
	const struct collateral_part *part =
		a->collateral == NULL ? NULL : collateral_qe_identity(a->collateral, a->now);

	if (part == NULL)
		without(a, s, id, "TD QE identity");
	else if (prove(a, part, id, "of its quoting enclave for TDX", stale))
		s->qe_identity = part->qe;
}

static void check_dates(const struct tdx_appraisal *a, const struct tdx_subject *s,
			const struct err *stale)
{
	static const char id[] = "tdx.collateral";
	bool demanded = a->policy == NULL || a->policy->require_collateral;

	if (a->collateral_error != NULL) {
		check_fail_err(a->checks, id, a->collateral_error);
	} else if (s->tcb_info == NULL && s->qe_identity == NULL) {
		check_skip(a->checks, id, "there is none that can be used");
	} else if (stale->status == EX_OK) {
		check_pass(a->checks, id, NULL, "what is used of it is in date");
	} else if (demanded) {
		check_fail_err(a->checks, id, stale);
		check_tell(a->checks, NULL, NULL, "fetch it anew from Intel's PCS");
	} else {
		check_skip(a->checks, id, "the policy lets it pass: %s", stale->text);
	}
}

/* Intel numbers the rounds in which it evaluates platforms anew: an answer of an older round may
 * still be in date. */
static void check_evaluation(const struct tdx_appraisal *a, const struct tdx_subject *s)
{
	static const char id[] = "tdx.tcb.evaluation";
	char have[24], need[24];

	if (check_tdx_unjudged(a, id))
		return;
	if (a->policy->min_tcb_evaluation == 0) {
		check_skip(a->checks, id, "the policy states no minimum");
		return;
	}
	snprintf(need, sizeof(need), "%llu", (unsigned long long)a->policy->min_tcb_evaluation);
	if (s->tcb_info == NULL || s->qe_identity == NULL) {
		check_fail(a->checks, id, EX_COLLATERAL, "none", need,
			   "there is no TCB info and QE identity that can be used");
		return;
	}
	uint32_t tcb = s->tcb_info->evaluation, qe = s->qe_identity->evaluation;
	uint32_t least = tcb < qe ? tcb : qe;
	snprintf(have, sizeof(have), "%u", least);
	if (least >= a->policy->min_tcb_evaluation)
		check_pass(a->checks, id, have,
			   "tcbEvaluationDataNumber is at least the policy's minimum");
	else
		check_fail(a->checks, id, EX_COLLATERAL, have, need,
			   "tcbEvaluationDataNumber of the %s is below the policy's minimum",
			   tcb <= qe ? "TCB info" : "QE identity");
}

void check_tdx_collateral(const struct tdx_appraisal *a, struct tdx_subject *s)
{
	struct err stale = { 0 };

	check_tcb_info(a, s, &stale);
	check_qe_identity(a, s, &stale);
	check_dates(a, s, &stale);
	check_evaluation(a, s);
}
