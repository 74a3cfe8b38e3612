#include "tests/unit/snp_judge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct fake_snp chip;
struct checks result;
struct snp_policy policy;
struct snp_given given;

int snp_judge_set_up(void **state)
{
	(void)state;
	fake_snp_make(&chip);
	return 0;
}

int snp_judge_tear_down(void **state)
{
	(void)state;
	fake_snp_free(&chip);
	return 0;
}

int snp_judge_renew(void **state)
{
	(void)state;
	memset(&given, 0, sizeof(given));
	given.cert[SNP_ROLE_VEK] = chip.vek;
	given.cert[SNP_ROLE_ASK] = chip.ask;
	given.cert[SNP_ROLE_ARK] = chip.ark;
	given.trust_root = chip.ark;
	given.now = FAKE_SNP_NOW;
	memcpy(given.report, chip.report, sizeof(given.report));
	given.report_size = sizeof(given.report);
	memset(given.report_data, 'd', sizeof(given.report_data));
	policy_snp_base(POLICY_RECOMMENDED, &policy);
	policy.measurements.size = SNP_MEASUREMENT_SIZE;
	policy.measurements.count = 1;
	memcpy(policy.measurements.value[0], chip.report + 0x90, SNP_MEASUREMENT_SIZE);
	return 0;
}

enum exit_status judge(void)
{
	struct snp_certs certs = { 0 };
	struct snp_appraisal a = { .report = given.report,
				   .report_size = given.report_size,
				   .certs = &certs,
				   .trust_root = given.trust_root,
				   .crl = given.crl,
				   .crl_count = given.crl_count,
				   .allow_version = given.allow_version,
				   .now = given.now,
				   .policy = given.without_policy ? NULL : &policy,
				   .unjudged = "nobody judges here",
				   .reference = given.reference,
				   .report_data = given.without_data ? NULL : given.report_data,
				   .checks = &result };

	memset(&result, 0, sizeof(result));
	for (unsigned i = 0; i < SNP_ROLES; i++) {
		certs.cert[i] = given.cert[i];
		if (given.cert[i] != NULL)
			X509_up_ref(given.cert[i]);
	}
	check_snp(&a);
	snp_certs_free(&certs);
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

const char *claim(const char *name)
{
	for (size_t i = 0; i < result.claim_count; i++)
		if (strcmp(result.claim[i].name, name) == 0)
			return result.claim[i].value;
	return "(no claim)";
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
	judge();
	assert_fails(id, failure);
	for (size_t i = 0; i < result.count; i++)
		if (result.item[i].status == CHECK_FAIL && strcmp(result.item[i].id, id) != 0)
			fail_msg("%s fails as well: %s", result.item[i].id, result.item[i].note);
}

void assert_skipped(const char *id)
{
	const struct check *k = find(id);

	if (k->status != CHECK_SKIPPED || k->note[0] == '\0')
		fail_msg("%s: status %d: %s", id, (int)k->status, k->note);
}

void assert_passes(const char *id)
{
	const struct check *k = find(id);

	if (k->status != CHECK_PASS)
		fail_msg("%s: status %d: %s", id, (int)k->status, k->note);
}

void sign_report(unsigned at, const void *bytes, size_t n)
{
	uint8_t old[SNP_REPORT_SIZE];

	memcpy(old, chip.report, sizeof(old));
	memcpy(chip.report + at, bytes, n);
	fake_snp_sign(&chip);
	memcpy(given.report, chip.report, sizeof(old));
	memcpy(chip.report, old, sizeof(old));
}
