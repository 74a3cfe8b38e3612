#include "attest/appraise/inputs.h"

#include "attest/measure/snp/plan.h"
#include "common/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPORT_FILE_MAX 4096u /* bytes; a report has fewer, and says so itself */

/* The plan's path is relative to the policy file, so that both can be moved together. */
static int plan_path(const char *policy, const char *plan, char *out, size_t size, struct err *e)
{
	const char *slash = strrchr(policy, '/');
	int folder = plan[0] == '/' || slash == NULL ? 0 : (int)(slash - policy + 1);
	int n = snprintf(out, size, "%.*s%s", folder, policy, plan);

	if (n < 0 || (size_t)n >= size)
		return err_set(e, EX_MALFORMED, "policy %s: the path of its plan is too long",
			       policy);
	return 0;
}

static int open_plan(const char *path, struct inputs *in, struct err *e)
{
	struct snp_reference *ref = &in->snp_reference;
	int r;

	if (in->policy.tee == EVIDENCE_PLAIN) {
		r = plain_plan_open(path, &in->plan, &in->contents, e);
		return r == 0 ? expect_base_make(&in->contents, &in->base, e) : r;
	}
	r = snp_plan_open(path, &in->plan, &in->contents, e);
	if (r == 0)
		r = snp_measure(&in->plan, NULL, NULL, ref->measurement[0], e);
	if (r < 0)
		return r;
	snprintf(ref->machine[0], sizeof(ref->machine[0]), "cpus %u", in->plan.snp.cpus);
	ref->guest_policy = in->plan.snp.policy;
	ref->count = 1;
	return 0;
}

int inputs_read_policy(const struct options *o, struct inputs *in, struct err *e)
{
	char plan[8192];
	void *text;
	size_t size;

	if (o->policy == NULL)
		return 0;
	int r = file_read("policy", o->policy, POLICY_FILE_MAX, 0, &text, &size, e);
	if (r < 0)
		return r;
	r = policy_parse(o->policy, text, size, &in->policy, e);
	free(text);
	if (r == 0 && o->bundle == NULL && in->policy.tee != EVIDENCE_SNP)
		return err_set(e, EX_MALFORMED, "policy %s: \"tee\" is not \"sev-snp\"", o->policy);
	if (r < 0 || !in->policy.has_plan)
		return r;
	r = plan_path(o->policy, in->policy.plan, plan, sizeof(plan), e);
	if (r == 0)
		r = file_read("plan", plan, PLAN_FILE_MAX, 0, &in->plan_data, &size, e);
	if (r == 0)
		r = plan_parse(plan, in->plan_data, size, &in->plan, e);
	return r == 0 ? open_plan(plan, in, e) : r;
}

static int read_certs(const char *what, const char *path, struct snp_certs *certs, struct err *e)
{
	void *data;
	size_t size;

	if (path == NULL)
		return 0;
	int r = file_read(what, path, SNP_CERT_FILE_MAX, 0, &data, &size, e);
	if (r < 0)
		return r;
	r = snp_certs_add(certs, path, data, size, e);
	free(data);
	return r;
}

int inputs_read_certs(const struct options *o, struct inputs *in, struct err *e)
{
	int r = read_certs("VEK", o->vek, &in->certs, e);

	if (r == 0)
		r = read_certs("chain", o->chain, &in->certs, e);
	if (r == 0)
		r = read_certs("trusted root", o->trust_root, &in->trusted, e);
	if (r == 0 && o->trust_root != NULL &&
	    (in->trusted.cert[SNP_ROLE_ARK] == NULL || in->trusted.cert[SNP_ROLE_ASK] != NULL ||
	     in->trusted.cert[SNP_ROLE_VEK] != NULL))
		return err_set(e, EX_MALFORMED,
			       "%s: not just a root certificate: give the ARK alone",
			       o->trust_root);
	return r;
}

static int read_bundle(const struct options *o, struct inputs *in, struct err *e)
{
	void *text;
	size_t size;
	int r = file_read("evidence", o->bundle, EVIDENCE_FILE_MAX, 0, &text, &size, e);

	if (r < 0)
		return r;
	r = evidence_parse(o->bundle, text, size, &in->evidence, e);
	free(text);
	/* A reader of the JSON output gets a verdict for malformed evidence, too. */
	if (r == -EX_MALFORMED)
		check_fail_err(&in->checks, "evidence.form", e);
	return r;
}

int inputs_read_evidence(const struct options *o, struct inputs *in, struct err *e)
{
	if (o->bundle != NULL)
		return read_bundle(o, in, e);
	int r = file_read("report", o->report, REPORT_FILE_MAX, 0, &in->report, &in->report_size,
			  e);
	if (r == 0 && o->cert_table != NULL)
		r = file_read("certificate table", o->cert_table, SNP_CERT_TABLE_MAX, 0,
			      &in->cert_table, &in->cert_table_size, e);
	return r;
}

void inputs_free(struct inputs *in)
{
	free(in->plan_data);
	free(in->report);
	free(in->cert_table);
	snp_certs_free(&in->certs);
	snp_certs_free(&in->trusted);
}
