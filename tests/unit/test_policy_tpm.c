/* The objects "tpm" and "event_log" of a policy: read, explained, and every rule of them broken. */
#include "attest/appraise/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HEAD "{\"format\": \"pavise-policy\", \"version\": 0, \"base\": \"recommended\""
#define A32 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B48                                                                                        \
	"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"                                         \
	"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static struct policy policy;

static int parse(const char *text)
{
	struct err e = { 0 };

	return policy_parse("test", text, strlen(text), &policy, &e);
}

static const char full[] =
	HEAD ", \"tpm\": {\"ak_sha256\": [\"" A32 "\"], \"require_provenance\": true,"
	     " \"banks\": [\"sha256\", \"sha384\"], \"quoted\": \"0x1ff\","
	     " \"pcrs\": {\"sha256\": {\"0\": [\"" A32 "\", \"" A32 "\"]},"
	     " \"sha384\": {\"23\": [\"" B48 "\"]}}, \"require_reference\": true,"
	     " \"require_safe_clock\": true, \"allow_sha1\": true},"
	     " \"event_log\": {\"require\": true, \"pcrs\": \"0xf\", \"rtmrs\": \"0x1\","
	     " \"allow_unknown_events\": false, \"allow_opaque_tail\": true,"
	     " \"allow_separators\": true, \"secure_boot\": [\"on\"]}}";

static void every_key(void **state)
{
	(void)state;
	uint8_t a[32], b[48];

	assert_int_equal(parse(full), 0);
	memset(a, 0xaa, sizeof(a));
	memset(b, 0xbb, sizeof(b));
	assert_true(policy_digest_listed(&policy.tpm.ak_sha256, a, 32));
	assert_true(policy.tpm.require_provenance && policy.tpm.require_reference &&
		    policy.tpm.require_safe_clock && policy.tpm.allow_sha1);
	assert_int_equal(policy.tpm.banks.set, 1u << TPM_BANK_SHA256 | 1u << TPM_BANK_SHA384);
	assert_int_equal(policy_tpm_bank_alg(TPM_BANK_SHA384), TPM_ALG_SHA384);
	assert_int_equal(policy.tpm.quoted, 0x1ff);
	assert_int_equal(policy.tpm.pcrs.bank[0].count[0], 2);
	assert_true(policy_pcrs_accept(&policy.tpm.pcrs, 0, 0, a));
	assert_true(policy_pcrs_accept(&policy.tpm.pcrs, 1, 23, b));
	assert_false(policy_pcrs_accept(&policy.tpm.pcrs, 1, 22, b));
	b[47] = 0;
	assert_false(policy_pcrs_accept(&policy.tpm.pcrs, 1, 23, b));
	assert_true(policy.log.require && policy.log.allow_opaque_tail &&
		    policy.log.allow_separators);
	assert_false(policy.log.allow_unknown_events);
	assert_int_equal(policy.log.pcrs, 0xf);
	assert_int_equal(policy.log.rtmrs, 1);
	assert_int_equal(policy.log.secure_boot.set, 1u << 2);
	assert_int_equal(parse(HEAD ", \"tpm\": {\"pcrs\": null}}"), 0);
	assert_false(policy_pcrs_given(&policy.tpm.pcrs));
}

static void broken(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"\"tpm\": {\"pcrs\": []}",
		"\"tpm\": {\"pcrs\": {\"sha1\": {}}}",
		"\"tpm\": {\"pcrs\": {\"sha256\": []}}",
		"\"tpm\": {\"pcrs\": {\"sha256\": {\"24\": [\"" A32 "\"]}}}",
		"\"tpm\": {\"pcrs\": {\"sha256\": {\"01\": [\"" A32 "\"]}}}",
		"\"tpm\": {\"pcrs\": {\"sha256\": {\"1\": []}}}",
		"\"tpm\": {\"pcrs\": {\"sha256\": {\"1\": \"" A32 "\"}}}",
		"\"tpm\": {\"pcrs\": {\"sha256\": {\"1\": [\"" B48 "\"]}}}",
		"\"tpm\": {\"pcrs\": {\"sha256\": {\"1\": [1]}}}",
		"\"tpm\": {\"banks\": [\"md5\"]}",
		"\"tpm\": {\"quoted\": 255}",
		"\"tpm\": {\"no_such_key\": true}",
		"\"event_log\": {\"secure_boot\": [\"maybe\"]}",
		"\"event_log\": {\"require\": 1}",
	};
	char text[1024];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), HEAD ", %s}", bad[i]);
		if (parse(text) != -EX_MALFORMED)
			fail_msg("taken: %s", bad[i]);
	}
}

static void explained(void **state)
{
	(void)state;
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	assert_non_null(f);
	assert_int_equal(parse(full), 0);
	policy_explain(f, &policy);
	fclose(f);
	assert_non_null(strstr(text, "tpm.pcrs = {\"sha256\": {\"0\": [\"" A32 "\", \"" A32
				     "\"]}, \"sha384\": {\"23\": [\"" B48 "\"]}}"));
	assert_non_null(strstr(text, "event_log.secure_boot = [\"on\"]"));
	free(text);
}

static void built_ins(void **state)
{
	(void)state;
	struct tpm_policy t;
	struct log_policy l;

	policy_tpm_base(POLICY_STRICT, &t);
	policy_log_base(POLICY_STRICT, &l);
	assert_true(t.require_provenance && t.require_reference && l.require);
	assert_int_equal(t.quoted, 0xff);
	assert_false(l.allow_unknown_events || l.allow_opaque_tail || t.allow_sha1);
	policy_tpm_base(POLICY_PERMISSIVE, &t);
	policy_log_base(POLICY_PERMISSIVE, &l);
	assert_true(l.allow_unknown_events && l.allow_opaque_tail);
	assert_false(l.allow_separators || t.allow_sha1 || t.require_reference);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key),
		cmocka_unit_test(broken),
		cmocka_unit_test(explained),
		cmocka_unit_test(built_ins),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
