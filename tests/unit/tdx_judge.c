#include "tests/unit/tdx_judge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct fake_tdx tdx;
struct checks result;
struct tdx_policy policy;
struct tdx_appraisal given;
struct log_policy log_policy;
uint8_t report_data[64];

void tdx_judge_renew(uint16_t version, uint16_t body_type)
{
	fake_tdx_free(&tdx);
	fake_tdx_make(&tdx, version, body_type);
	given.trust_root = tdx.chain.cert[TDX_ROLE_ROOT];
}

int tdx_judge_set_up(void **state)
{
	(void)state;
	fake_tdx_make(&tdx, 4, TDX_BODY_TD_1_0);
	policy_tdx_base(POLICY_RECOMMENDED, &policy);
	policy_log_base(POLICY_RECOMMENDED, &log_policy);
	policy.require_collateral = false; /* test_tdx_tcb.c has some */
	policy.mrtd.count = 1;
	policy.mrtd.size = TDX_DIGEST_SIZE;
	memset(policy.mrtd.value[0], 'm', TDX_DIGEST_SIZE);
	memset(report_data, 'd', sizeof(report_data));
	given = (struct tdx_appraisal){ .trust_root = tdx.chain.cert[TDX_ROLE_ROOT],
					.now = FAKE_TDX_NOW,
					.policy = &policy,
					.log = &log_policy,
					.unjudged = "policy none: not judged",
					.report_data = report_data };
	return 0;
}

int tdx_judge_tear_down(void **state)
{
	(void)state;
	fake_tdx_free(&tdx);
	return 0;
}

enum exit_status judge(void)
{
	memset(&result, 0, sizeof(result));
	given.quote = tdx.quote;
	given.quote_size = tdx.quote_size;
	given.checks = &result;
	check_tdx(&given);
	return checks_verdict(&result);
}

const struct check *find(const char *id)
{
	static const struct check absent;

	for (size_t i = 0; i < result.count; i++)
		if (strcmp(result.item[i].id, id) == 0)
			return &result.item[i];
	fail_msg("check %s is not in the result", id);
	return &absent;
}

bool has_claim(const char *name)
{
	for (size_t i = 0; i < result.claim_count; i++)
		if (strcmp(result.claim[i].name, name) == 0)
			return true;
	return false;
}

const char *claim(const char *name)
{
	for (size_t i = 0; i < result.claim_count; i++)
		if (strcmp(result.claim[i].name, name) == 0)
			return result.claim[i].value;
	fail_msg("claim %s is not in the result", name);
	return "";
}

static void assert_status(const char *id, enum check_status status)
{
	const struct check *k = find(id);

	if (k->status != status)
		fail_msg("%s: status %d: %s", id, (int)k->status, k->note);
}

void assert_passes(const char *id)
{
	assert_status(id, CHECK_PASS);
}

void assert_skipped(const char *id)
{
	assert_status(id, CHECK_SKIPPED);
}

void assert_fails(const char *id, enum exit_status failure)
{
	const struct check *k = find(id);

	if (k->status != CHECK_FAIL || k->failure != failure)
		fail_msg("%s: status %d, failure %d: %s", id, (int)k->status, (int)k->failure,
			 k->note);
	assert_int_not_equal(checks_verdict(&result), EX_OK);
}

void assert_only(const char *id, enum exit_status failure)
{
	assert_int_equal(judge(), failure);
	assert_fails(id, failure);
	for (size_t i = 0; i < result.count; i++)
		if (result.item[i].status == CHECK_FAIL && strcmp(result.item[i].id, id) != 0)
			fail_msg("%s fails as well: %s", result.item[i].id, result.item[i].note);
}

void sign_body(unsigned at, const void *bytes, size_t n)
{
	memcpy(tdx.body + at, bytes, n);
	fake_tdx_sign(&tdx);
}
