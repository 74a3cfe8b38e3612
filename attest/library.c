/* The public face of the library (pavise-attest.h): checks what it is given, and hands it on. */
#include "attest/pavise-attest.h"

#include "attest/appraise/request.h"
#include "attest/appraise/verdict_json.h"
#include "attest/appraise/warm.h"
#include "attest/binding.h"
#include "attest/measure/snp/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPORT_DATA_SIZE 64u

/* The numbers of the header are those of the programs. */
_Static_assert((int)PAVISE_OK == EX_OK && (int)PAVISE_REFUSED == EX_REFUSED &&
		       (int)PAVISE_UNAUTHENTIC == EX_UNAUTHENTIC &&
		       (int)PAVISE_MALFORMED == EX_MALFORMED &&
		       (int)PAVISE_COLLATERAL == EX_COLLATERAL && (int)PAVISE_HOST == EX_HOST &&
		       (int)PAVISE_USAGE == EX_USAGE_ERROR && (int)PAVISE_INTERNAL == EX_INTERNAL,
	       "one set of statuses");
_Static_assert((int)PAVISE_KIND_BUNDLE == REQUEST_BUNDLE && (int)PAVISE_KIND_SNP == REQUEST_SNP &&
		       (int)PAVISE_KIND_TDX == REQUEST_TDX && (int)PAVISE_KIND_TPM == REQUEST_TPM,
	       "one set of kinds");
_Static_assert((int)PAVISE_PASS == CHECK_PASS && (int)PAVISE_FAIL == CHECK_FAIL &&
		       (int)PAVISE_SKIPPED == CHECK_SKIPPED,
	       "one set of outcomes");
_Static_assert(PAVISE_SNP_MEASUREMENT_SIZE == SNP_DIGEST_SIZE, "one size");

struct pavise_policy {
	struct policy policy;
};

struct pavise_request {
	struct request request;
};

struct pavise_result {
	struct checks checks;
};

struct pavise_verifier {
	struct warm *warm;
};

const char *pavise_attest_version(void)
{
	return PAVISE_VERSION;
}

/* Tells the caller of an error of ours; the status. */
static int tell(const struct err *from, struct pavise_error *to)
{
	if (to != NULL) {
		to->status = (enum pavise_status)from->status;
		snprintf(to->text, sizeof(to->text), "%s", from->text);
	}
	return from->status;
}

static int no_memory(struct pavise_error *to)
{
	struct err e = { 0 };

	(void)err_set(&e, EX_HOST, "out of memory");
	return tell(&e, to);
}

int pavise_policy_parse(const char *name, const char *text, size_t size, struct pavise_policy **out,
			struct pavise_error *e)
{
	struct pavise_policy *p = calloc(1, sizeof(*p));
	struct err why = { 0 };

	*out = NULL;
	if (p == NULL)
		return no_memory(e);
	if (policy_parse(name != NULL ? name : "policy", text, size, &p->policy, &why) < 0) {
		free(p);
		return tell(&why, e);
	}
	*out = p;
	return PAVISE_OK;
}

int pavise_policy_built_in(const char *name, struct pavise_policy **out, struct pavise_error *e)
{
	int base = policy_base_of_name(name);
	struct err why = { 0 };

	*out = NULL;
	if (base < 0) {
		(void)err_set(&why, EX_USAGE_ERROR,
			      "%.32s: not a built-in policy: strict, recommended, permissive, none",
			      name);
		return tell(&why, e);
	}
	*out = calloc(1, sizeof(**out));
	if (*out == NULL)
		return no_memory(e);
	policy_built_in((enum policy_base)base, &(*out)->policy);
	return PAVISE_OK;
}

const char *pavise_policy_plan(const struct pavise_policy *p)
{
	return p->policy.has_plan ? p->policy.plan : NULL;
}

const char *pavise_policy_references(const struct pavise_policy *p)
{
	return p->policy.references[0] != '\0' ? p->policy.references : NULL;
}

char *pavise_policy_explain(const struct pavise_policy *p)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	if (f == NULL)
		return NULL;
	policy_explain(f, &p->policy);
	if (fclose(f) == 0)
		return text;
	free(text);
	return NULL;
}

void pavise_policy_free(struct pavise_policy *p)
{
	free(p);
}

struct pavise_request *pavise_request_new(enum pavise_kind kind, int64_t now)
{
	struct pavise_request *r = (unsigned)kind <= PAVISE_KIND_TPM ? calloc(1, sizeof(*r)) : NULL;

	if (r == NULL)
		return NULL;
	r->request.kind = (enum request_kind)kind;
	r->request.now = (time_t)now;
	return r;
}

#define BUNDLE (1u << REQUEST_BUNDLE)
#define SNP (1u << REQUEST_SNP)
#define TDX (1u << REQUEST_TDX)
#define TPM (1u << REQUEST_TPM)
#define ALL (BUNDLE | SNP | TDX | TPM)

/* In the order of enum pavise_input; most: how many of it. */
static const struct {
	const char *name;
	unsigned kinds;
	size_t most;
} inputs[] = {
	{ "evidence", ALL, 1 },
	{ "nonce", ALL, 1 },
	{ "REPORT_DATA", SNP | TDX, 1 },
	{ "plan", ALL, 1 },
	{ "trusted root", ALL, 1 },
	{ "VEK", SNP | BUNDLE, 1 },
	{ "chain", SNP | BUNDLE | TPM, 1 },
	{ "certificate table", SNP, 1 },
	{ "CRL", SNP | BUNDLE, REQUEST_CRL_MAX },
	{ "collateral", TDX | SNP | BUNDLE, REQUEST_COLLATERAL_MAX },
	{ "CCEL", TDX, 1 },
	{ "signature", TPM, 1 },
	{ "attestation key", TPM, 1 },
	{ "PCR values", TPM, 1 },
	{ "event log", TPM, 1 },
	{ "reference values", ALL, 1 },
};
#define INPUTS (sizeof(inputs) / sizeof(inputs[0]))
_Static_assert(INPUTS == PAVISE_IN_REFERENCES + 1, "a row for each input");

/* Where an input lies, and how many there are of it (NULL: one or none). NULL: not a blob. */
static struct blob *slot(struct request *q, enum pavise_input input, size_t **count)
{
	*count = NULL;
	switch (input) {
	case PAVISE_IN_EVIDENCE:
		return &q->evidence;
	case PAVISE_IN_PLAN:
		return &q->plan;
	case PAVISE_IN_TRUST_ROOT:
		return &q->trust_root;
	case PAVISE_IN_VEK:
		return &q->vek;
	case PAVISE_IN_CHAIN:
		return &q->chain;
	case PAVISE_IN_CERT_TABLE:
		return &q->cert_table;
	case PAVISE_IN_CRL:
		*count = &q->crl_count;
		return q->crl;
	case PAVISE_IN_COLLATERAL:
		*count = &q->collateral_count;
		return q->collateral;
	case PAVISE_IN_CCEL:
		return &q->ccel;
	case PAVISE_IN_SIGNATURE:
		return &q->signature;
	case PAVISE_IN_AK:
		return &q->ak;
	case PAVISE_IN_PCRS:
		return &q->pcrs;
	case PAVISE_IN_EVENT_LOG:
		return &q->event_log;
	case PAVISE_IN_REFERENCES:
		return &q->references;
	default:
		return NULL;
	}
}

/* Nonce and REPORT_DATA: each says what the evidence must bind, so one of them. */
static int add_value(struct request *q, enum pavise_input input, const void *data, size_t size,
		     struct err *e)
{
	bool nonce = input == PAVISE_IN_NONCE;

	if (nonce ? size == 0 || size > BINDING_NONCE_MAX : size != REPORT_DATA_SIZE)
		return err_set(e, EX_USAGE_ERROR, "%s: %zu bytes: give %s", inputs[input].name,
			       size, nonce ? "1 to 64" : "64");
	if (q->nonce != NULL || q->report_data != NULL)
		return err_set(e, EX_USAGE_ERROR, "%s: a nonce or REPORT_DATA is given already",
			       inputs[input].name);
	if (nonce) {
		q->nonce = data;
		q->nonce_size = size;
	} else {
		q->report_data = data;
	}
	return 0;
}

static int add_input(struct request *q, enum pavise_input input, const void *data, size_t size,
		     const char *name, struct err *e)
{
	size_t *count;
	struct blob *b;

	if ((unsigned)input >= INPUTS || (inputs[input].kinds >> q->kind & 1) == 0)
		return err_set(e, EX_USAGE_ERROR, "%s: not for this kind of evidence",
			       (unsigned)input < INPUTS ? inputs[input].name : "input");
	if (data == NULL)
		return err_set(e, EX_USAGE_ERROR, "%s: no bytes", inputs[input].name);
	b = slot(q, input, &count);
	if (b == NULL)
		return add_value(q, input, data, size, e);
	if (count != NULL ? *count == inputs[input].most : b->data != NULL)
		return err_set(e, EX_USAGE_ERROR, "%s: at most %zu", inputs[input].name,
			       inputs[input].most);
	if (count != NULL)
		b += (*count)++;
	*b = (struct blob){ .data = data,
			    .size = size,
			    .name = name != NULL ? name : inputs[input].name };
	return 0;
}

int pavise_request_add(struct pavise_request *r, enum pavise_input input, const void *data,
		       size_t size, const char *name, struct pavise_error *e)
{
	struct err why = { 0 };

	return add_input(&r->request, input, data, size, name, &why) < 0 ? tell(&why, e)
									  : PAVISE_OK;
}

void pavise_request_set_policy(struct pavise_request *r, const struct pavise_policy *p)
{
	r->request.policy = p == NULL ? NULL : &p->policy;
}

void pavise_request_allow_version(struct pavise_request *r, uint32_t version)
{
	r->request.allow_report_version = version;
}

void pavise_request_free(struct pavise_request *r)
{
	free(r);
}

struct pavise_verifier *pavise_verifier_new(void)
{
	struct pavise_verifier *v = calloc(1, sizeof(*v));

	if (v == NULL)
		return NULL;
	v->warm = warm_new();
	if (v->warm != NULL)
		return v;
	free(v);
	return NULL;
}

void pavise_verifier_free(struct pavise_verifier *v)
{
	if (v != NULL)
		warm_free(v->warm);
	free(v);
}

int pavise_verify(const struct pavise_request *r, struct pavise_result **out,
		  struct pavise_error *e)
{
	return pavise_verify_with(NULL, r, out, e);
}

int pavise_verify_with(struct pavise_verifier *v, const struct pavise_request *r,
		       struct pavise_result **out, struct pavise_error *e)
{
	struct request request = r->request;
	struct pavise_result *result = malloc(sizeof(*result));
	struct err why = { 0 };
	int status;

	*out = NULL;
	if (result == NULL)
		return no_memory(e);
	checks_init(&result->checks);
	request.warm = v != NULL ? v->warm : NULL;
	if (request.evidence.data == NULL)
		status = err_set(&why, EX_USAGE_ERROR, "request: no evidence was given");
	else
		status = appraise(&request, &result->checks, &why);
	if (status < 0) {
		free(result);
		return tell(&why, e);
	}
	*out = result;
	return PAVISE_OK;
}

enum pavise_status pavise_result_status(const struct pavise_result *r)
{
	return (enum pavise_status)checks_verdict(&r->checks);
}

const char *pavise_result_verdict(const struct pavise_result *r)
{
	return checks_verdict_name(&r->checks);
}

const char *pavise_result_scope(const struct pavise_result *r)
{
	return checks_scope(&r->checks);
}

size_t pavise_result_checks(const struct pavise_result *r)
{
	return r->checks.count;
}

int pavise_result_check(const struct pavise_result *r, size_t i, struct pavise_check *out)
{
	if (i >= r->checks.count)
		return PAVISE_USAGE;
	const struct check *k = &r->checks.item[i];
	*out = (struct pavise_check){ .id = k->id,
				      .outcome = (enum pavise_outcome)k->status,
				      .failure = (enum pavise_status)k->failure,
				      .note = k->note,
				      .have = k->have,
				      .need = k->need,
				      .component = k->component,
				      .advisory = k->advisory,
				      .next = k->next };
	return PAVISE_OK;
}

size_t pavise_result_claims(const struct pavise_result *r)
{
	return r->checks.claim_count;
}

int pavise_result_claim(const struct pavise_result *r, size_t i, const char **name,
			const char **value)
{
	if (i >= r->checks.claim_count)
		return PAVISE_USAGE;
	*name = r->checks.claim[i].name;
	*value = r->checks.claim[i].value;
	return PAVISE_OK;
}

const char *pavise_result_find_claim(const struct pavise_result *r, const char *name)
{
	for (size_t i = 0; i < r->checks.claim_count; i++)
		if (strcmp(r->checks.claim[i].name, name) == 0)
			return r->checks.claim[i].value;
	return NULL;
}

char *pavise_result_json(const struct pavise_result *r)
{
	json_t *j = verdict_json(&r->checks);
	char *text = j != NULL ? json_dumps(j, JSON_INDENT(1)) : NULL;

	json_decref(j);
	return text;
}

void pavise_result_free(struct pavise_result *r)
{
	free(r);
}

int pavise_measure_snp_plan(const char *name, const void *plan, size_t size,
			    uint8_t out[PAVISE_SNP_MEASUREMENT_SIZE], struct pavise_error *e)
{
	const char *object = name != NULL ? name : "plan";
	struct plain_contents contents;
	struct err why = { 0 };
	struct plan p;

	int r = plan_parse(object, plan, size, &p, &why);
	if (r == 0)
		r = snp_plan_open(object, &p, &contents, &why);
	if (r == 0)
		r = snp_measure(&p, NULL, NULL, out, &why);
	return r < 0 ? tell(&why, e) : PAVISE_OK;
}
