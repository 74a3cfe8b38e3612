/* An Intel TDX quote alone, and the part that a bundle shares with it. */
#include "attest/appraise/appraise_tdx.h"

#include "attest/appraise/appraise_common.h"
#include "attest/appraise/check_bundle.h"
#include "attest/appraise/tdx_reference.h"
#include "attest/appraise/warm.h"

#include "attest/x509/cert.h"

int judge_tdx(const struct tdx_case *c, struct tdx_appraisal *a, struct err *e)
{
	const struct policy *p = c->policy;
	struct tdx_policy policy = p->tdx;
	struct tdx_reference reference;
	struct tdx_quote quote;
	struct err unused = { 0 };
	bool whole = tdx_quote_parse(a->quote, a->quote_size, &quote, &unused) == 0;

	a->unjudged = policy_unjudged(p, EVIDENCE_TDX);
	const struct tdx_reference_from from = {
		.base = a->unjudged == NULL && p->has_plan ? c->base : NULL,
		.mrtd = c->mrtd,
		.policy = p,
		.quote = whole ? &quote.body : NULL,
		.log = a->ccel,
		.log_size = a->ccel_size,
	};
	int status = tdx_reference_make(&from, &reference, e);

	if (status < 0)
		return status;
	/* Nobody said what to accept: the refusal is that, not collateral that nobody asked for. */
	if (!c->policy_given)
		policy.require_collateral = false;
	a->policy = a->unjudged == NULL ? &policy : NULL;
	a->log = &p->log;
	a->reference = reference.expected != NULL ? &reference : NULL;
	check_tdx(a);
	tdx_reference_free(&reference);
	a->policy = NULL;
	a->reference = NULL;
	return 0;
}

static int judge(const struct request *r, const struct policy *p, X509 *trust_root,
		 const struct plan_reference *plan, struct tdx_appraisal *a, struct err *e)
{
	const struct tdx_case c = { .policy = p,
				    .policy_given = r->policy != NULL,
				    .base = plan->given ? &plan->base : NULL,
				    .mrtd = plan->tdx.mrtd };
	struct tdx_quote quote;
	struct err unused = { 0 };
	uint8_t room[TDX_REPORT_DATA_SIZE];

	a->quote = r->evidence.data;
	a->quote_size = r->evidence.size;
	a->trust_root = trust_root;
	a->now = r->now;
	a->report_data = wanted_report_data(r, room);
	a->ccel = r->ccel.data;
	a->ccel_size = r->ccel.size;
	a->cache = warm_certs(r->warm);
	bool whole = tdx_quote_parse(a->quote, a->quote_size, &quote, &unused) == 0;
	check_report_freshness(r, p, whole ? quote.body.report_data : NULL, a->checks);
	return judge_tdx(&c, a, e);
}

int appraise_tdx(const struct request *r, struct checks *out, struct err *e)
{
	struct collateral collateral = { 0 };
	struct certs trusted = { 0 };
	struct value_bundle bundle = { 0 };
	struct err fault = { 0 };
	struct plan_reference plan = { 0 };
	struct policy assumed;

	out->scope = TDX_SCOPE;
	const struct policy *p = check_policy_given(r->policy, &assumed, out);
	int status = request_root(r, &trusted, e);
	if (status == 0)
		status = plan_reference_open(r, p, &plan, e);
	if (status == 0)
		status = request_collateral_open(r, &collateral, &fault, e);
	if (status == 0)
		status = check_value_bundle(r, p, &bundle, out, e);
	if (status == 0) {
		check_tee_alone(p, EVIDENCE_TDX, out);
		struct tdx_appraisal a = {
			.bundle = bundle.given ? &bundle : NULL,
			.collateral = &collateral,
			.collateral_error = fault.status != EX_OK ? &fault : NULL,
			.checks = out,
		};
		status = judge(r, p, trusted.count == 1 ? trusted.cert[0] : NULL, &plan, &a, e);
	}
	request_collateral_close(r, &collateral, &fault);
	certs_free(&trusted);
	value_bundle_free(&bundle);
	return status;
}
