/* An SEV-SNP report alone. */
#include "attest/appraise/appraise_common.h"
#include "attest/appraise/check_bundle.h"

#define REPORT_DATA_AT 0x50u

static void judge(const struct request *r, const struct policy *p, const struct plan_reference *ref,
		  const struct value_bundle *bundle, struct snp_certs *certs, X509 *trust_root,
		  const struct collateral *collateral, const struct err *fault, struct checks *out)
{
	bool whole = r->evidence.size == SNP_REPORT_SIZE;
	uint8_t room[64];
	struct snp_appraisal a = {
		.report = r->evidence.data,
		.report_size = r->evidence.size,
		.cert_table = r->cert_table.data,
		.cert_table_size = r->cert_table.size,
		.certs = certs,
		.trust_root = trust_root,
		.collateral = collateral,
		.collateral_error = fault->status != EX_OK ? fault : NULL,
		.crl = r->crl,
		.crl_count = r->crl_count,
		.allow_version = r->allow_report_version,
		.now = r->now,
		.unjudged = policy_unjudged(p, EVIDENCE_SNP),
		.reference = ref->snp.count > 0 ? &ref->snp : NULL,
		.bundle = bundle->given ? bundle : NULL,
		.report_data = wanted_report_data(r, room),
		.checks = out,
	};

	if (a.unjudged == NULL)
		a.policy = &p->snp;
	check_report_freshness(r, p, whole ? r->evidence.data + REPORT_DATA_AT : NULL, out);
	check_snp(&a);
}

int appraise_snp(const struct request *r, struct checks *out, struct err *e)
{
	struct snp_certs certs = { 0 }, trusted = { 0 };
	struct plan_reference ref = { 0 };
	struct value_bundle bundle = { 0 };
	struct collateral collateral = { 0 };
	struct err fault = { 0 };
	struct policy assumed;

	out->scope = SNP_SCOPE;
	const struct policy *p = check_policy_given(r->policy, &assumed, out);
	int status = plan_reference_open(r, p, &ref, e);
	if (status == 0)
		status = request_snp_certs(r, &certs, &trusted, e);
	if (status == 0)
		status = check_value_bundle(r, p, &bundle, out, e);
	if (status == 0)
		status = request_collateral_open(r, &collateral, &fault, e);
	if (status == 0) {
		check_tee_alone(p, EVIDENCE_SNP, out);
		judge(r, p, &ref, &bundle, &certs, trusted.cert[SNP_ROLE_ARK],
		      &collateral, &fault, out);
	}
	snp_certs_free(&certs);
	snp_certs_free(&trusted);
	value_bundle_free(&bundle);
	request_collateral_close(r, &collateral, &fault);
	return status;
}
