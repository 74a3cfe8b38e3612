/* The measurements in a quote against reference values, and what it binds. */
#include "attest/appraise/check_tdx.h"

#include "attest/appraise/check_bundle.h"
#include "attest/measure/tdx/expect.h"
#include "common/bytes.h"

#include <openssl/crypto.h>
#include <stdio.h>

/* One register of the quote against the policy's list. */
static void check_digest(const struct tdx_appraisal *a, const char *id, const char *name,
			 const uint8_t *digest, const struct policy_digests *list)
{
	char have[2 * TDX_DIGEST_SIZE + 1], need[2 * TDX_DIGEST_SIZE + 1];

	if (list->count == 0) {
		check_skip(a->checks, id, "the policy states no %s: not judged", name);
		return;
	}
	hex_encode(list->value[0], TDX_DIGEST_SIZE, need);
	if (digest == NULL) {
		check_fail(a->checks, id, EX_REFUSED, "not defined", need,
			   "this kind of quote has no %s, the policy wants one", name);
		return;
	}
	hex_encode(digest, TDX_DIGEST_SIZE, have);
	if (policy_digest_listed(list, digest, TDX_DIGEST_SIZE))
		check_pass(a->checks, id, have, "%s is a reference value of the policy", name);
	else
		check_fail(a->checks, id, EX_REFUSED, have, need,
			   "%s is none of the %zu that the policy states", name, list->count);
}

static void check_mrtd(const struct tdx_appraisal *a, const struct tdx_body *b)
{
	char have[2 * TDX_DIGEST_SIZE + 1];

	if (a->bundle != NULL) {
		check_bundled_tdx(a->bundle, "tdx.mrtd", b->mrtd, b->rtmr, a->checks);
		return;
	}
	if (a->policy->mrtd.count > 0) {
		check_digest(a, "tdx.mrtd", "MRTD", b->mrtd, &a->policy->mrtd);
		return;
	}
	if (!a->policy->require_mrtd) {
		check_skip(a->checks, "tdx.mrtd",
			   "no reference values: what was booted was not judged");
		a->checks->no_reference = true;
		return;
	}
	hex_encode(b->mrtd, TDX_DIGEST_SIZE, have);
	check_fail(a->checks, "tdx.mrtd", EX_REFUSED, have, "a reference value",
		   "the policy wants MRTD judged and states no value for it");
	check_tell(a->checks, NULL, NULL,
		   "a policy file with a plan, a bundle, or \"tdx\": {\"mrtd\": [HEX]}");
}

static void check_binding(const struct tdx_appraisal *a, const struct tdx_body *b)
{
	char have[2 * TDX_REPORT_DATA_SIZE + 1], need[2 * TDX_REPORT_DATA_SIZE + 1];

	hex_encode(b->report_data, TDX_REPORT_DATA_SIZE, have);
	if (a->report_data == NULL) {
		check_skip(a->checks, "tdx.binding",
			   "nobody said what REPORTDATA must be: the quote may be old, or "
			   "another's");
		return;
	}
	hex_encode(a->report_data, TDX_REPORT_DATA_SIZE, need);
	if (CRYPTO_memcmp(b->report_data, a->report_data, TDX_REPORT_DATA_SIZE) == 0)
		check_pass(a->checks, "tdx.binding", have, "REPORTDATA binds what it must");
	else
		check_fail(a->checks, "tdx.binding", EX_UNAUTHENTIC, have, need,
			   "REPORTDATA binds something else: another nonce, key or guest");
}

void check_tdx_measured(const struct tdx_appraisal *a, const struct tdx_subject *s)
{
	static const char *const ids[] = { "tdx.mrseam",    "tdx.mrtd",	  "tdx.rtmr.0",
					   "tdx.rtmr.1",    "tdx.rtmr.2", "tdx.rtmr.3",
					   "tdx.config_id", "tdx.owner",  "tdx.owner_config",
					   "tdx.service_td",
					   "reference.machine", "reference.log" };
	const struct tdx_body *b = &s->quote.body;
	const struct tdx_policy *p = a->policy;
	char id[16], name[8];

	if (p == NULL) {
		for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
			check_tdx_unjudged(a, ids[i]);
		check_binding(a, b);
		return;
	}
	check_digest(a, "tdx.mrseam", "MRSEAM", b->mrseam, &p->mrseam);
	if (a->reference != NULL)
		check_tdx_registers(a, b);
	else
		check_mrtd(a, b);
	for (unsigned i = a->reference != NULL ? TDX_EXPECT_RTMRS : 0; i < TDX_RTMRS; i++) {
		snprintf(id, sizeof(id), "tdx.rtmr.%u", i);
		snprintf(name, sizeof(name), "RTMR%u", i);
		if (a->bundle != NULL && i < REFERENCES_RTMRS && p->rtmr[i].count == 0)
			check_bundled_rtmr(a->bundle, id, b->mrtd, i, b->rtmr[i], a->checks);
		else
			check_digest(a, id, name, b->rtmr[i], &p->rtmr[i]);
	}
	check_digest(a, "tdx.config_id", "MRCONFIGID", b->mrconfigid, &p->mrconfigid);
	check_digest(a, "tdx.owner", "MROWNER", b->mrowner, &p->mrowner);
	check_digest(a, "tdx.owner_config", "MROWNERCONFIG", b->mrownerconfig, &p->mrownerconfig);
	check_digest(a, "tdx.service_td", "MRSERVICETD", b->mrservicetd, &p->mrservicetd);
	check_tdx_machine(a, b);
	check_binding(a, b);
}
