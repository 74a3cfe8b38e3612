/* An Intel TDX quote alone. */
#include "attest/appraise/appraise_common.h"
#include "attest/appraise/check_bundle.h"
#include "attest/appraise/check_tdx.h"
#include "attest/appraise/warm.h"

#include "attest/x509/cert.h"

static int read_root(const struct blob *b, struct cert_cache *cache, struct certs *out,
		     struct err *e)
{
	const char *name = b->name != NULL ? b->name : "trusted root";

	if (b->data == NULL)
		return 0;
	int r = certs_read_cached(cache, name, b->data, b->size, out, e);
	if (r == 0 && out->count != 1)
		return err_set(e, EX_MALFORMED, "%s: not just a root certificate: give it alone",
			       name);
	return r;
}

static void judge(const struct request *r, const struct policy *p, X509 *trust_root,
		  const struct value_bundle *bundle, const struct collateral *collateral,
		  const struct err *fault, struct checks *out)
{
	struct tdx_policy policy = p->tdx;
	struct tdx_quote quote;
	struct err e = { 0 };
	uint8_t room[TDX_REPORT_DATA_SIZE];
	struct tdx_appraisal a = {
		.quote = r->evidence.data,
		.quote_size = r->evidence.size,
		.trust_root = trust_root,
		.now = r->now,
		.unjudged = policy_unjudged(p, EVIDENCE_TDX),
		.bundle = bundle->given ? bundle : NULL,
		.report_data = wanted_report_data(r, room),
		.ccel = r->ccel.data,
		.ccel_size = r->ccel.size,
		.log = &p->log,
		.collateral = collateral,
		.collateral_error = fault->status != EX_OK ? fault : NULL,
		.cache = warm_certs(r->warm),
		.checks = out,
	};
	bool whole = tdx_quote_parse(a.quote, a.quote_size, &quote, &e) == 0;

	if (a.unjudged == NULL)
		a.policy = &policy;
	/* Nobody said what to accept: the refusal is that, not collateral that nobody asked for. */
	if (r->policy == NULL)
		policy.require_collateral = false;
	check_report_freshness(r, p, whole ? quote.body.report_data : NULL, out);
	check_tdx(&a);
}

int appraise_tdx(const struct request *r, struct checks *out, struct err *e)
{
	struct collateral collateral = { 0 };
	struct certs trusted = { 0 };
	struct value_bundle bundle = { 0 };
	struct err fault = { 0 };
	struct policy assumed;

	out->scope = TDX_SCOPE;
	const struct policy *p = check_policy_given(r->policy, &assumed, out);
	int status = read_root(&r->trust_root, warm_certs(r->warm), &trusted, e);
	if (status == 0)
		status = request_collateral_open(r, &collateral, &fault, e);
	if (status == 0)
		status = check_value_bundle(r, p, &bundle, out, e);
	if (status == 0) {
		check_tee_alone(p, EVIDENCE_TDX, out);
		judge(r, p, trusted.count == 1 ? trusted.cert[0] : NULL, &bundle, &collateral,
		      &fault, out);
	}
	request_collateral_close(r, &collateral, &fault);
	certs_free(&trusted);
	value_bundle_free(&bundle);
	return status;
}
