/* A TPM quote alone, with its key, and what else came with it. */
#include "attest/appraise/appraise_common.h"

#include "attest/appraise/check_tpm.h"

#include <stdlib.h>

#define TPM_SCOPE "TPM quote: the TPM and whoever vouches for its key are trusted"

static int take_root(const struct request *r, STACK_OF(X509) * roots, struct err *e)
{
	const char *name = r->trust_root.name != NULL ? r->trust_root.name : "trusted root";

	if (r->trust_root.data == NULL)
		return 0;
	int status = tpm_certs_parse(name, r->trust_root.data, r->trust_root.size, roots, e);
	if (status == 0 && sk_X509_num(roots) != 1)
		return err_set(e, EX_MALFORMED, "%s: give one certificate, the root", name);
	return status;
}

static int take_certs(const struct request *r, struct tpm_appraisal *a, struct err *e)
{
	const char *name = r->chain.name != NULL ? r->chain.name : "chain";

	a->roots = sk_X509_new_null();
	a->chain = sk_X509_new_null();
	if (a->roots == NULL || a->chain == NULL)
		return err_set(e, EX_HOST, "out of memory");
	int status = take_root(r, a->roots, e);
	if (status == 0 && r->chain.data != NULL)
		status = tpm_certs_parse(name, r->chain.data, r->chain.size, a->chain, e);
	return status;
}

static void judge(const struct request *r, struct tpm_appraisal *a)
{
	struct quote_case *q = &a->quote;

	q->checks = a->checks;
	q->any_form = true;
	q->key = (struct quote_bytes){ r->ak.data, r->ak.size };
	q->attest = (struct quote_bytes){ r->evidence.data, r->evidence.size };
	q->signature = (struct quote_bytes){ r->signature.data, r->signature.size };
	check_ak_form(q);
	check_tpm_provenance(a);
	check_quote_form(q);
	check_quote_signature(q);
	check_tpm_nonce(a);
	check_tpm_selection(a);
	check_tpm_values(a);
	check_tpm_clock(a);
	check_tpm_log(a);
	claim_tpm(a);
	quote_case_free(q);
}

static int run(const struct request *r, struct tpm_appraisal *a, struct policy *assumed,
	       struct err *e)
{
	a->request = r;
	a->policy = check_policy_given(r->policy, assumed, a->checks);
	a->unjudged = policy_unjudged(a->policy, EVIDENCE_PLAIN);
	int status = take_certs(r, a, e);
	if (status == 0) {
		check_tee_alone(a->policy, EVIDENCE_PLAIN, a->checks);
		judge(r, a);
	}
	sk_X509_pop_free(a->roots, X509_free);
	sk_X509_pop_free(a->chain, X509_free);
	return status;
}

int appraise_tpm(const struct request *r, struct checks *out, struct err *e)
{
	struct tpm_appraisal *a = calloc(1, sizeof(*a));
	struct policy *assumed = malloc(sizeof(*assumed));
	int status;

	out->scope = TPM_SCOPE;
	if (a == NULL || assumed == NULL) {
		status = err_set(e, EX_HOST, "out of memory");
	} else {
		a->checks = out;
		status = run(r, a, assumed, e);
	}
	free(a);
	free(assumed);
	return status;
}
