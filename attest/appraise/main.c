/* pavise-verify: judges evidence. Offline: it opens the files it is given and nothing else. */
#include "attest/appraise/inputs.h"
#include "attest/appraise/report.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#define PROGRAM "pavise-verify"

static int appraise_bundle(const struct options *o, struct inputs *in, struct err *e)
{
	struct appraisal a = {
		.evidence = &in->evidence,
		.policy = o->policy != NULL ? &in->policy : NULL,
		.base = in->plan_data != NULL && in->policy.tee == EVIDENCE_PLAIN ? &in->base
										  : NULL,
		.nonce = o->nonce_text != NULL ? o->nonce : NULL,
		.nonce_size = o->nonce_size,
		.snp_reference = in->snp_reference.count > 0 ? &in->snp_reference : NULL,
		.certs = &in->certs,
		.trust_root = in->trusted.cert[SNP_ROLE_ARK],
		.now = o->now,
		.checks = &in->checks,
	};

	return appraise(&a, e);
}

/* A report alone: whoever has no policy asks whether it is genuine, and gets no more. */
static void appraise_report(const struct options *o, struct inputs *in)
{
	struct checks *c = &in->checks;
	struct snp_appraisal a = {
		.report = in->report,
		.report_size = in->report_size,
		.cert_table = in->cert_table,
		.cert_table_size = in->cert_table_size,
		.certs = &in->certs,
		.trust_root = in->trusted.cert[SNP_ROLE_ARK],
		.now = o->now,
		.policy = o->policy != NULL ? &in->policy.snp : NULL,
		.reference = in->snp_reference.count > 0 ? &in->snp_reference : NULL,
		.report_data = o->report_data_text != NULL ? o->report_data : NULL,
		.checks = c,
	};

	c->scope = SNP_SCOPE;
	c->only_authentic = o->policy == NULL;
	if (o->policy == NULL)
		check_skip(c, "policy.given", "none: nothing says what to accept");
	else
		check_pass(c, "policy.given", NULL, "reference values from the %s",
			   in->policy.has_plan ? "plan's files" : "policy");
	if (o->report_data_text != NULL)
		check_skip(c, "freshness", "as fresh as what REPORT_DATA must bind");
	else if (o->policy != NULL && in->policy.require_nonce)
		check_fail(c, "freshness", EX_REFUSED, "no --report-data", "--report-data HEX",
			   "the policy wants fresh evidence: say what REPORT_DATA must be");
	else
		check_skip(c, "freshness", "no --report-data given");
	check_snp(&a);
}

/* The exit status, or negative with *e filled. */
static int verify(const struct options *o, struct inputs *in, struct err *e)
{
	int r = inputs_read_policy(o, in, e);

	if (r == 0)
		r = inputs_read_certs(o, in, e);
	if (r < 0)
		return r;
	r = inputs_read_evidence(o, in, e);
	if (r < 0) {
		struct err unused = { 0 };
		if (o->json && in->checks.count > 0)
			report_json(stdout, &in->checks, &unused);
		return r;
	}
	if (o->bundle != NULL)
		r = appraise_bundle(o, in, e);
	else
		appraise_report(o, in);
	if (r == 0)
		r = o->json ? report_json(stdout, &in->checks, e)
			    : report_text(stdout, &in->checks, e);
	return r < 0 ? r : (int)checks_verdict(&in->checks);
}

int main(int argc, char **argv)
{
	struct options o;
	struct err e = { 0 };

	opterr = 0;
	int r = options_parse(argc, argv, &o, &e);
	if (r == 0 && o.help)
		return fputs(options_usage, stdout) < 0 ? EX_HOST : EX_OK;
	if (r < 0)
		return err_report(&e, PROGRAM);
	struct inputs *in = calloc(1, sizeof(*in));
	if (in == NULL)
		r = err_set(&e, EX_HOST, "out of memory");
	else
		r = verify(&o, in, &e);
	if (in != NULL)
		inputs_free(in);
	free(in);
	return r < 0 ? err_report(&e, PROGRAM) : r;
}
