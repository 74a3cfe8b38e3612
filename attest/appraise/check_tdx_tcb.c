/* The platform under a quote: its TDX module, its quoting enclave, its TCB, by what Intel says of
 * them. */
#include "attest/appraise/check_tdx.h"

#include "attest/tdx/tcb_match.h"
#include "attest/x509/when.h"
#include "common/bytes.h"

#include <stdio.h>
#include <string.h>

static bool all_zero(const uint8_t *p, size_t n)
{
	uint8_t any = 0;

	for (size_t i = 0; i < n; i++)
		any |= p[i];
	return any == 0;
}

/* Without TCB info: Intel's modules have zero for signer and attributes; another one could say
 * anything of the guest. */
static void check_module(const struct tdx_appraisal *a, const struct tdx_subject *s)
{
	const struct tdx_body *b = &s->quote.body;
	char have[2 * TDX_DIGEST_SIZE + 1];
	struct err e = { 0 };

	if (s->tcb_info != NULL && tcb_check_module(s->tcb_info, b->tee_tcb_svn, b->mrsignerseam,
						    b->seam_attributes, &e) < 0) {
		check_fail_err(a->checks, "tdx.module", &e);
	} else if (s->tcb_info == NULL && !all_zero(b->mrsignerseam, TDX_DIGEST_SIZE)) {
		hex_encode(b->mrsignerseam, TDX_DIGEST_SIZE, have);
		check_fail(a->checks, "tdx.module", EX_UNAUTHENTIC, have, "zero",
			   "MRSIGNERSEAM: not a TDX module of Intel's");
	} else if (s->tcb_info == NULL && !all_zero(b->seam_attributes, 8)) {
		hex_encode(b->seam_attributes, 8, have);
		check_fail(a->checks, "tdx.module", EX_UNAUTHENTIC, have, "zero",
			   "SEAMATTRIBUTES: not a TDX module for production");
	} else {
		check_pass(a->checks, "tdx.module", NULL, "%s%s",
			   a->checks->private_root ? "a TDX module of the private root's owner"
						   : "a TDX module of Intel's",
			   s->tcb_info != NULL ? ", by TCB info" : "");
	}
	check_tell(a->checks, "module", NULL, NULL);
}

/* Is the quoting enclave the one that Intel names? */
static void check_qe(const struct tdx_appraisal *a, const struct tdx_subject *s)
{
	struct qe_claims claims = { .misc_select = s->qe.misc_select,
				    .attributes = s->qe.attributes,
				    .mrsigner = s->qe.mrsigner,
				    .isv_prod_id = s->qe.isv_prod_id,
				    .isv_svn = s->qe.isv_svn };
	struct err e = { 0 };

	if (s->qe_identity == NULL)
		check_skip(a->checks, "tdx.qe.identity",
			   "there is no QE identity that can be used");
	else if (qe_identity_check(s->qe_identity, &claims, &e) < 0)
		check_fail_err(a->checks, "tdx.qe.identity", &e);
	else
		check_pass(a->checks, "tdx.qe.identity", NULL,
			   "the quoting enclave is the one of the QE identity");
	check_tell(a->checks, "qe", NULL, NULL);
}

static bool accepted(const struct tdx_policy *p, enum tcb_status status)
{
	return tcb_status_may_be_allowed(status) && (p->tcb_status.set & 1u << status) != 0;
}

static void accepted_text(const struct tdx_policy *p, char *out, size_t size)
{
	size_t at = 0;

	out[0] = '\0';
	for (unsigned i = 0; tdx_status_words[i] != NULL && at < size; i++)
		if ((p->tcb_status.set & 1u << i) != 0)
			at += (size_t)snprintf(out + at, size - at, "%s%s", at > 0 ? ", " : "",
					       tdx_status_words[i]);
}

static void check_part(const struct tdx_appraisal *a, const char *id, const struct tcb_part *part,
		       const char *component)
{
	char need[260];

	if (!part->judged) {
		check_skip(a->checks, id, "the collateral says nothing of it for this platform");
		return;
	}
	accepted_text(a->policy, need, sizeof(need));
	if (accepted(a->policy, part->status))
		check_pass(a->checks, id, tcb_status_names[part->status],
			   "a TCB status that the policy accepts");
	else
		check_fail(a->checks, id, EX_REFUSED, tcb_status_names[part->status], need,
			   "a TCB status that the policy does not accept");
	check_tell(a->checks, component, NULL, NULL);
}

static bool is_behind(const struct tcb_part *part)
{
	return part->judged && part->status != TCB_UP_TO_DATE;
}

/* Platform, module and quoting enclave together: what is short of the latest level, and what that
 * leaves open. */
static void check_status(const struct tdx_appraisal *a, const struct tcb_result *r)
{
	char need[260], why[260], component[32];
	const char *name = tcb_status_names[r->status], *gap;

	accepted_text(a->policy, need, sizeof(need));
	tcb_shortfall_text(r, why, sizeof(why));
	snprintf(component, sizeof(component), "%s%s%s", is_behind(&r->platform) ? "platform " : "",
		 is_behind(&r->module) ? "module " : "", is_behind(&r->qe) ? "qe " : "");
	if (component[0] != '\0')
		component[strlen(component) - 1] = '\0';
	gap = why[0] != '\0' ? "; short of the latest level: " : "";
	if (accepted(a->policy, r->status))
		check_pass(a->checks, "tdx.tcb.status", name,
			   "a TCB status that the policy accepts%s%s", gap, why);
	else
		check_fail(a->checks, "tdx.tcb.status", EX_REFUSED, name, need,
			   "a TCB status that the policy does not accept%s%s", gap, why);
	check_tell(
		a->checks, component, r->advisories,
		r->status == TCB_UP_TO_DATE
			? NULL
			: "have the platform's owner update it (firmware, microcode, TDX module, "
			  "quoting enclave); the advisories say what is open");
}

static void check_date(const struct tdx_appraisal *a, const struct tcb_result *r)
{
	char have[WHEN_TEXT_SIZE], need[WHEN_TEXT_SIZE];

	if (!a->policy->min_tcb_date.given) {
		check_skip(a->checks, "tdx.tcb.date", "the policy states no minimum");
		return;
	}
	when_text(r->date, have);
	when_text((time_t)a->policy->min_tcb_date.value, need);
	if (r->date != 0 && r->date >= (time_t)a->policy->min_tcb_date.value)
		check_pass(a->checks, "tdx.tcb.date", have,
			   "tcbDate is not before the policy's minimum");
	else
		check_fail(a->checks, "tdx.tcb.date", EX_REFUSED, have, need,
			   "tcbDate is before the policy's minimum");
}

static void claim_part(struct checks *c, const char *name, const struct tcb_part *part)
{
	if (part->judged)
		claim_text(c, name, tcb_status_names[part->status]);
}

static void claim_result(const struct tdx_appraisal *a, const struct tdx_subject *s,
			 const struct tcb_result *r)
{
	char date[WHEN_TEXT_SIZE];

	claim_text(a->checks, "tdx.tcb.status", tcb_status_names[r->status]);
	claim_part(a->checks, "tdx.tcb.platform", &r->platform);
	claim_part(a->checks, "tdx.tcb.module", &r->module);
	claim_part(a->checks, "tdx.tcb.qe", &r->qe);
	if (r->date != 0) {
		when_text(r->date, date);
		claim_text(a->checks, "tdx.tcb.date", date);
	}
	claim_number(a->checks, "tdx.tcb.evaluation", s->tcb_info->evaluation);
}

static const char *const ids[] = { "tdx.tcb.platform", "tdx.tcb.module", "tdx.tcb.qe",
				   "tdx.tcb.status", "tdx.tcb.date" };
#define IDS (sizeof(ids) / sizeof(ids[0]))
#define STATUS 3u

static void unjudged(const struct tdx_appraisal *a)
{
	for (size_t i = 0; i < IDS; i++)
		check_tdx_unjudged(a, ids[i]);
}

/* Without TCB info nothing is known: where the policy demands it, the status fails as well. */
static void unknown(const struct tdx_appraisal *a, const struct tdx_subject *s)
{
	for (size_t i = 0; i < IDS; i++) {
		/* Nor can that be, before the caller names the root: tdx.root says so. */
		if (i != STATUS || !a->policy->require_collateral || s->root_unnamed) {
			check_skip(a->checks, ids[i], "there is no TCB info that can be used");
			continue;
		}
		check_fail(a->checks, ids[i], EX_COLLATERAL, "unknown", NULL,
			   "there is no TCB info and QE identity that can be used");
		check_tell(a->checks, NULL, NULL,
			   "give --collateral FILE or FOLDER: see tdx.tcb_info, tdx.qe_identity");
	}
}

/* What the numbers say, whatever the policy; false: there is nothing to compare with. */
static bool match(const struct tdx_appraisal *a, const struct tdx_subject *s,
		  struct tcb_result *out)
{
	const struct tcb_platform platform = { .sgx = s->pck.component,
					       .pce_svn = s->pck.pce_svn,
					       .tee_tcb_svn = s->quote.body.tee_tcb_svn,
					       .tee_tcb_svn2 = s->quote.body.tee_tcb_svn2 };

	if (s->tcb_info == NULL || !s->pck_ok)
		return false;
	tcb_match(s->tcb_info, &platform, s->qe_identity, s->qe.isv_svn, out);
	claim_result(a, s, out);
	return true;
}

void check_tdx_tcb(const struct tdx_appraisal *a, const struct tdx_subject *s)
{
	struct tcb_result r;

	check_module(a, s);
	check_qe(a, s);
	bool known = match(a, s, &r);
	if (a->policy == NULL) {
		unjudged(a);
		return;
	}
	/* A status without the quoting enclave's would be too good. */
	if (!known || (s->qe_identity == NULL && a->policy->require_collateral)) {
		unknown(a, s);
		return;
	}
	check_part(a, "tdx.tcb.platform", &r.platform, "platform");
	check_part(a, "tdx.tcb.module", &r.module, "module");
	check_part(a, "tdx.tcb.qe", &r.qe, "qe");
	check_status(a, &r);
	check_date(a, &r);
}
