/* The one entry of the library, appraise(): requests of bytes, as a program makes them of files. */
#include "attest/appraise/request.h"
#include "attest/measure/snp/plan.h"
#include "tests/unit/fake_snp_world.h"

#include <openssl/pem.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct fake_snp_world *world;
static struct fake_world *plain;
static struct policy policy;
static struct checks result;
static uint8_t nonce[32], root[SNP_CERT_FILE_MAX];
static size_t root_size;

static size_t der_of(X509 *cert, uint8_t *out)
{
	unsigned char *p = out;
	int n = i2d_X509(cert, NULL);

	assert_true(n > 0 && (size_t)n <= SNP_CERT_FILE_MAX);
	return (size_t)i2d_X509(cert, &p);
}

static int set_up(void **state)
{
	(void)state;
	world = calloc(1, sizeof(*world));
	plain = calloc(1, sizeof(*plain));
	if (world == NULL || plain == NULL)
		return -1;
	fake_snp_world_make(world);
	fake_world_make(plain, TPM_ALG_ECDSA, TPM_ALG_SHA256);
	memset(nonce, 'n', sizeof(nonce));
	root_size = der_of(world->chip.ark, root);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fake_snp_world_free(world);
	fake_world_free(plain);
	free(world);
	free(plain);
	return 0;
}

static struct request report_request(void)
{
	struct request r = {
		.kind = REQUEST_SNP,
		.evidence = { world->plain.evidence.report, SNP_REPORT_SIZE, "report" },
		.cert_table = { world->chip.table, world->chip.table_size, "table" },
		.trust_root = { root, root_size, "root" },
		.policy = &policy,
		.now = FAKE_SNP_NOW,
	};

	policy_built_in(POLICY_RECOMMENDED, &policy);
	return r;
}

static int judge(const struct request *r)
{
	struct err e = { 0 };

	memset(&result, 0, sizeof(result));
	int status = appraise(r, &result, &e);
	if (status < 0) {
		assert_int_equal(status, -e.status);
		assert_true(e.text[0] != '\0');
		return status;
	}
	return (int)checks_verdict(&result);
}

static const struct check *find(const char *id)
{
	static const struct check absent;

	for (size_t i = 0; i < result.count; i++)
		if (strcmp(result.item[i].id, id) == 0)
			return &result.item[i];
	fail_msg("check %s is not in the result", id);
	return &absent;
}

static void assert_check(const char *id, enum check_status status)
{
	if (find(id)->status != status)
		fail_msg("%s: status %d: %s", id, (int)find(id)->status, find(id)->note);
}

static void report_alone(void **state)
{
	(void)state;
	struct request r = report_request();

	assert_int_equal(judge(&r), EX_OK);
	assert_string_equal(checks_verdict_name(&result),
			    "affirming (simulated or private root; no reference values: what was "
			    "booted was not judged)");
	assert_check("freshness", CHECK_SKIPPED);
	assert_check("snp.measurement", CHECK_SKIPPED);
	r.policy = NULL;
	assert_int_equal(judge(&r), EX_REFUSED);
	assert_check("policy.given", CHECK_FAIL);
	assert_non_null(strstr(find("policy.given")->next, "--policy"));
	/* The others are made all the same. */
	assert_check("snp.signature", CHECK_PASS);
	assert_check("snp.debug", CHECK_PASS);
}

static void policy_none(void **state)
{
	(void)state;
	static const char *const judged[] = { "snp.debug", "snp.migration", "snp.tcb.order",
					      "snp.measurement", "snp.vmpl" };
	struct request r = report_request();
	uint8_t debug[SNP_REPORT_SIZE], old[SNP_REPORT_SIZE];

	policy_built_in(POLICY_NONE, &policy);
	memcpy(old, world->chip.report, sizeof(old));
	world->chip.report[0x0A] |= 0x08;
	fake_snp_sign(&world->chip);
	memcpy(debug, world->chip.report, sizeof(debug));
	memcpy(world->chip.report, old, sizeof(old));
	r.evidence.data = debug;
	assert_int_equal(judge(&r), EX_OK);
	assert_string_equal(checks_verdict_name(&result),
			    "authentic, not appraised (simulated or private root)");
	assert_check("policy.given", CHECK_SKIPPED);
	for (size_t i = 0; i < sizeof(judged) / sizeof(judged[0]); i++) {
		assert_check(judged[i], CHECK_SKIPPED);
		assert_string_equal(find(judged[i])->note, "policy none: not judged");
	}
	debug[0x90] ^= 1;
	assert_int_equal(judge(&r), EX_UNAUTHENTIC);
	assert_check("snp.signature", CHECK_FAIL);
	/* Every other policy refuses that guest; only a file can say otherwise. */
	debug[0x90] ^= 1;
	for (int base = 0; base < POLICY_NONE; base++) {
		policy_built_in((enum policy_base)base, &policy);
		policy.snp.require_revocation = false; /* a list that is missing would weigh more */
		assert_int_equal(judge(&r), EX_REFUSED);
		assert_check("snp.debug", CHECK_FAIL);
	}
}

static void policy_strict(void **state)
{
	(void)state;
	struct request r = report_request();

	policy_built_in(POLICY_STRICT, &policy);
	assert_int_equal(judge(&r), EX_COLLATERAL);
	assert_check("snp.revocation", CHECK_FAIL);
	policy.snp.require_revocation = false;
	r.report_data = world->plain.evidence.report + 0x50;
	assert_int_equal(judge(&r), EX_REFUSED);
	assert_check("snp.measurement", CHECK_FAIL);
	policy.snp.measurements = (struct policy_digests){ .count = 1, .size = 48 };
	memcpy(policy.snp.measurements.value[0], world->plain.evidence.report + 0x90, 48);
	judge(&r);
	assert_check("snp.measurement", CHECK_PASS);
	r.report_data = NULL;
	assert_int_equal(judge(&r), EX_REFUSED);
	assert_check("freshness", CHECK_FAIL);
}

static void nonce_in_report_data(void **state)
{
	(void)state;
	struct request r = report_request();
	uint8_t report[SNP_REPORT_SIZE], old[SNP_REPORT_SIZE];

	r.nonce = nonce;
	r.nonce_size = sizeof(nonce);
	assert_int_equal(judge(&r), EX_UNAUTHENTIC);
	assert_check("freshness", CHECK_FAIL);
	assert_check("snp.binding", CHECK_FAIL);
	memcpy(old, world->chip.report, sizeof(old));
	memset(world->chip.report + 0x50, 0, 64);
	memcpy(world->chip.report + 0x50, nonce, sizeof(nonce));
	fake_snp_sign(&world->chip);
	memcpy(report, world->chip.report, sizeof(report));
	memcpy(world->chip.report, old, sizeof(old));
	r.evidence.data = report;
	assert_int_equal(judge(&r), EX_OK);
	assert_check("freshness", CHECK_PASS);
	assert_check("snp.binding", CHECK_PASS);
	r.nonce_size = 31; /* then a zero byte would be wanted where there is none */
	assert_int_equal(judge(&r), EX_UNAUTHENTIC);
	r.nonce_size = sizeof(nonce);
	r.evidence.size = 100;
	assert_int_equal(judge(&r), EX_MALFORMED);
	assert_check("freshness", CHECK_SKIPPED);
	assert_check("snp.form", CHECK_FAIL);
}

static void wrong_kind_of_machine(void **state)
{
	(void)state;
	struct request r = report_request();

	policy.any_tee = false;
	policy.tee = EVIDENCE_TDX;
	assert_int_equal(judge(&r), EX_REFUSED);
	assert_check("tee.evidence", CHECK_FAIL);
	assert_check("snp.debug", CHECK_SKIPPED);
	assert_string_equal(find("snp.debug")->note, "the policy is for another kind of machine");
	policy.tee = EVIDENCE_SNP;
	assert_int_equal(judge(&r), EX_OK);
	assert_check("tee.evidence", CHECK_PASS);
}

/* What is not the evidence's fault is no verdict. */
static void wrong_requests(void **state)
{
	(void)state;
	struct request r = report_request();
	uint8_t two[2 * SNP_CERT_FILE_MAX];

	r.trust_root.size = 10;
	assert_int_equal(judge(&r), -EX_MALFORMED);
	r.trust_root.data = two; /* a VEK is no root */
	r.trust_root.size = der_of(world->chip.vek, two);
	assert_int_equal(judge(&r), -EX_MALFORMED);
	r = report_request();
	r.vek = (struct blob){ (const uint8_t *)"x", 1, "vek" };
	assert_int_equal(judge(&r), -EX_MALFORMED);
	r = report_request();
	policy.has_plan = true;
	assert_int_equal(judge(&r), -EX_USAGE_ERROR);
	r.plan = (struct blob){ (const uint8_t *)"plan", 4, "plan" };
	assert_int_equal(judge(&r), -EX_MALFORMED);
	r = report_request();
	r.kind = (enum request_kind)77;
	assert_int_equal(judge(&r), -EX_INTERNAL);
}

static uint8_t *plan_bytes(const struct plan *p, size_t *size)
{
	struct err e = { 0 };

	*size = plan_file_size(p);
	uint8_t *data = malloc(*size);
	assert_non_null(data);
	assert_int_equal(plan_write(p, data, *size, &e), 0);
	return data;
}

static void bundle_with_plan(void **state)
{
	(void)state;
	char *text = fake_world_json(plain);
	size_t size;
	uint8_t *data = plan_bytes(&plain->built.plan, &size);
	struct request r = { .kind = REQUEST_BUNDLE,
			     .evidence = { (const uint8_t *)text, strlen(text), "evidence" },
			     .policy = &plain->policy,
			     .plan = { data, size, "plan" },
			     .nonce = nonce,
			     .nonce_size = sizeof(nonce) };

	strcpy(plain->policy.plan, "a.plan");
	assert_int_equal(judge(&r), EX_OK);
	assert_string_equal(checks_verdict_name(&result), "affirming");
	assert_check("reference.log", CHECK_PASS);
	policy_built_in(POLICY_RECOMMENDED, &policy);
	r.policy = &policy;
	assert_int_equal(judge(&r), EX_OK);
	assert_non_null(strstr(checks_verdict_name(&result), "no reference values"));
	assert_check("reference.pcrs", CHECK_SKIPPED);
	policy_built_in(POLICY_STRICT, &policy);
	assert_int_equal(judge(&r), EX_REFUSED);
	assert_check("reference.pcrs", CHECK_FAIL);
	text[strlen(text) - 1] = ' ';
	assert_int_equal(judge(&r), EX_MALFORMED);
	assert_check("evidence.form", CHECK_FAIL);
	free(data);
	free(text);
}

static void bundle_of_snp(void **state)
{
	(void)state;
	char *text = fake_snp_world_json(world);
	struct request r = { .kind = REQUEST_BUNDLE,
			     .evidence = { (const uint8_t *)text, strlen(text), "evidence" },
			     .policy = &world->plain.policy,
			     .trust_root = { root, root_size, "root" },
			     .now = FAKE_SNP_NOW,
			     .nonce = nonce,
			     .nonce_size = sizeof(nonce) };

	assert_int_equal(judge(&r), EX_OK);
	assert_string_equal(checks_verdict_name(&result), "affirming (simulated or private root)");
	r.trust_root = (struct blob){ 0 };
	assert_int_equal(judge(&r), EX_REFUSED);
	assert_check("snp.root", CHECK_FAIL);
	free(text);
}

/* The agent's key takes part in every binding; another form of key is malformed evidence. */
static void agent_key(void **state)
{
	(void)state;
	struct evidence *ev = &plain->evidence;
	uint8_t old = ev->public_key[22];

	ev->public_key[22] ^= 1; /* the curve */
	fake_world_sign(plain);
	assert_int_equal(fake_world_judge(plain, nonce, sizeof(nonce), &result), EX_MALFORMED);
	assert_check("agent.key", CHECK_FAIL);
	ev->public_key[22] = old;
	fake_world_sign(plain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(report_alone),
		cmocka_unit_test(policy_none),
		cmocka_unit_test(policy_strict),
		cmocka_unit_test(nonce_in_report_data),
		cmocka_unit_test(wrong_kind_of_machine),
		cmocka_unit_test(wrong_requests),
		cmocka_unit_test(bundle_with_plan),
		cmocka_unit_test(bundle_of_snp),
		cmocka_unit_test(agent_key),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
