#include "attest/appraise/appraise_common.h"

#include "attest/appraise/warm.h"
#include "attest/measure/snp/plan.h"
#include "common/bytes.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#define REPORT_DATA_SIZE 64u

const struct policy *check_policy_given(const struct policy *given, struct policy *assumed,
					struct checks *out)
{
	if (given == NULL) {
		policy_built_in(POLICY_RECOMMENDED, assumed);
		check_fail(out, "policy.given", EX_REFUSED, "none", "--policy",
			   "nobody said what to accept; the checks are made as by \"recommended\"");
		check_tell(out, NULL, NULL,
			   "give --policy FILE|strict|recommended|permissive|none");
		return assumed;
	}
	out->only_authentic = given->base == POLICY_NONE;
	if (given->base == POLICY_NONE)
		check_skip(out, "policy.given", "none, as asked for: nothing says what to accept");
	else
		check_pass(out, "policy.given", policy_base_name(given->base), "%s",
			   given->has_plan ? "reference values from the plan's files"
					   : "what is accepted comes from the policy");
	return given;
}

const char *policy_unjudged(const struct policy *p, enum evidence_tee tee)
{
	if (p->base == POLICY_NONE)
		return UNJUDGED;
	return p->any_tee || p->tee == tee ? NULL : UNJUDGED_TEE;
}

void check_tee_alone(const struct policy *p, enum evidence_tee tee, struct checks *out)
{
	if (p->any_tee || p->tee == tee)
		check_pass(out, "tee.evidence", evidence_tee_name(tee), "the kind that was asked for");
	else
		check_fail(out, "tee.evidence", EX_REFUSED, evidence_tee_name(tee), evidence_tee_name(p->tee),
			   UNJUDGED_TEE);
}

const uint8_t *wanted_report_data(const struct request *r, uint8_t room[REPORT_DATA_SIZE])
{
	if (r->report_data != NULL)
		return r->report_data;
	if (r->nonce == NULL || r->nonce_size > REPORT_DATA_SIZE)
		return NULL;
	memset(room, 0, REPORT_DATA_SIZE);
	memcpy(room, r->nonce, r->nonce_size);
	return room;
}

void check_report_freshness(const struct request *r, const struct policy *p,
			    const uint8_t *report_data, struct checks *out)
{
	char have[2 * REPORT_DATA_SIZE + 1] = "", need[2 * REPORT_DATA_SIZE + 1];
	uint8_t room[REPORT_DATA_SIZE];
	const uint8_t *want = wanted_report_data(r, room);

	if (want == NULL && p->require_nonce) {
		check_fail(out, "freshness", EX_REFUSED, "no --nonce", "--nonce HEX",
			   "the policy wants fresh evidence: give the nonce, or what REPORT_DATA "
			   "must be");
	} else if (want == NULL) {
		check_skip(out, "freshness", "no --nonce or --report-data given");
	} else if (r->report_data != NULL) {
		check_skip(out, "freshness", "as fresh as what REPORT_DATA must bind");
	} else if (report_data == NULL) {
		check_skip(out, "freshness", "the evidence is malformed");
	} else {
		hex_encode(report_data, REPORT_DATA_SIZE, have);
		hex_encode(want, REPORT_DATA_SIZE, need);
		if (CRYPTO_memcmp(report_data, want, REPORT_DATA_SIZE) == 0)
			check_pass(out, "freshness", have, "REPORT_DATA is the nonce given");
		else
			check_fail(out, "freshness", EX_UNAUTHENTIC, have, need,
				   "another nonce: an old report, or made for someone else");
	}
}

static int open_snp_plan(const char *name, struct plan_reference *out, struct err *e)
{
	struct snp_reference *ref = &out->snp;
	int r = snp_plan_open(name, &out->plan, &out->contents, e);

	if (r == 0 && out->plan.snp.cpus != 0)
		r = snp_measure(&out->plan, NULL, NULL, ref->measurement[0], e);
	else if (r == 0)
		r = snp_measure_sizes(&out->plan, out->plan.max_cpus, ref->measurement, e);
	if (r < 0)
		return r;
	uint32_t first = out->plan.snp.cpus == 0 ? 1 : out->plan.snp.cpus;
	ref->count = out->plan.snp.cpus == 0 ? out->plan.max_cpus : 1;
	for (uint32_t i = 0; i < ref->count; i++)
		snprintf(ref->machine[i], sizeof(ref->machine[i]), "cpus %u", first + i);
	ref->guest_policy = out->plan.snp.policy;
	return 0;
}

int plan_reference_open(const struct request *r, const struct policy *p, struct plan_reference *out,
			struct err *e)
{
	const char *name = r->plan.name != NULL ? r->plan.name : "plan";

	if (!p->has_plan)
		return 0;
	if (r->plan.data == NULL)
		return err_set(e, EX_USAGE_ERROR, "policy: names the plan \"%.64s\", and it was "
			       "not given", p->plan);
	int status = plan_parse(name, r->plan.data, r->plan.size, &out->plan, e);
	if (status < 0)
		return status;
	out->given = true;
	if (p->tee == EVIDENCE_SNP)
		return open_snp_plan(name, out, e);
	if (p->tee == EVIDENCE_TDX)
		status = tdx_plan_open(name, &out->plan, &out->contents, e);
	else
		status = plain_plan_open(name, &out->plan, &out->contents, e);
	if (status == 0 && p->tee == EVIDENCE_TDX)
		status = tdx_measure(&out->plan, NULL, NULL, &out->tdx, e);
	return status == 0 ? expect_base_make(&out->contents, &out->base, e) : status;
}

static int add_certs(const struct blob *b, struct snp_certs *certs, struct err *e)
{
	return b->data == NULL ? 0
			       : snp_certs_add(certs, b->name != NULL ? b->name : "certificate",
					       b->data, b->size, e);
}

int request_snp_certs(const struct request *r, struct snp_certs *certs, struct snp_certs *trusted,
		      struct err *e)
{
	certs->cache = trusted->cache = warm_certs(r->warm);
	int status = add_certs(&r->vek, certs, e);

	if (status == 0)
		status = add_certs(&r->chain, certs, e);
	if (status == 0)
		status = add_certs(&r->trust_root, trusted, e);
	if (status == 0 && r->trust_root.data != NULL &&
	    (trusted->cert[SNP_ROLE_ARK] == NULL || trusted->cert[SNP_ROLE_ASK] != NULL ||
	     trusted->cert[SNP_ROLE_VEK] != NULL))
		return err_set(e, EX_MALFORMED,
			       "%s: not just a root certificate: give the ARK alone",
			       r->trust_root.name != NULL ? r->trust_root.name : "trusted root");
	return status;
}

int request_root(const struct request *r, struct certs *out, struct err *e)
{
	const struct blob *b = &r->trust_root;
	const char *name = b->name != NULL ? b->name : "trusted root";

	if (b->data == NULL)
		return 0;
	int status = certs_read_cached(warm_certs(r->warm), name, b->data, b->size, out, e);
	if (status == 0 && out->count != 1)
		return err_set(e, EX_MALFORMED, "%s: not just a root certificate: give it alone",
			       name);
	return status;
}

int request_collateral(const struct request *r, struct collateral *out, struct err *fault,
		       struct err *e)
{
	out->cache = warm_certs(r->warm);
	for (size_t i = 0; i < r->collateral_count; i++) {
		const struct blob *b = &r->collateral[i];
		if (collateral_add(out, b->name != NULL ? b->name : "collateral", b->data, b->size,
				   fault) == -EX_HOST)
			return err_set(e, EX_HOST, "%s", fault->text);
	}
	if (r->collateral_count > 0 && out->parts == 0)
		err_set(fault, EX_MALFORMED, "collateral: none of the %zu files given is any",
			r->collateral_count);
	return 0;
}

int request_collateral_open(const struct request *r, struct collateral *out, struct err *fault,
			    struct err *e)
{
	if (warm_take(r->warm, r->collateral, r->collateral_count, out))
		return 0;
	return request_collateral(r, out, fault, e);
}

void request_collateral_close(const struct request *r, struct collateral *c,
			      const struct err *fault)
{
	if (fault->status == EX_OK)
		warm_keep(r->warm, r->collateral, r->collateral_count, c);
	collateral_free(c);
}
