/* Captured TPM quotes and event logs of real machines, appraised. */
#include "attest/appraise/appraise_common.h"

#include "attest/appraise/log_case.h"
#include "common/bytes.h"
#include "tests/unit/vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static enum exit_status appraise_real(struct request *r, struct policy *p, struct checks *c)
{
	struct err e = { 0 };

	policy_built_in(POLICY_RECOMMENDED, p);
	r->kind = REQUEST_TPM;
	r->policy = p;
	memset(c, 0, sizeof(*c));
	if (appraise(r, c, &e) < 0)
		fail_msg("%s", e.text);
	return checks_verdict(c);
}

static struct blob vector_blob(const char *name)
{
	struct blob b = { .name = name };

	b.data = vector_read(name, &b.size);
	return b;
}

static void real_split_quote(void **state)
{
	(void)state;
	static struct policy p;
	static struct checks c;
	struct request r = { .nonce = (const uint8_t *)"challenge", .nonce_size = 9 };

	if (vectors_present() < 0)
		skip();
	r.evidence = vector_blob("tpm/quote-azure/attest.bin");
	r.signature = vector_blob("tpm/quote-azure/sig.bin");
	r.ak = vector_blob("tpm/quote-azure/akpub.pem");
	r.pcrs = vector_blob("tpm/quote-azure/pcrs.bin");
	assert_int_equal(appraise_real(&r, &p, &c), EX_OK);
	((uint8_t *)r.pcrs.data)[700] ^= 1;
	assert_int_equal(appraise_real(&r, &p, &c), EX_UNAUTHENTIC);
	((uint8_t *)r.pcrs.data)[700] ^= 1;
	r.nonce_size = 8;
	assert_int_equal(appraise_real(&r, &p, &c), EX_UNAUTHENTIC);
	free((void *)r.evidence.data);
	free((void *)r.signature.data);
	free((void *)r.ak.data);
	free((void *)r.pcrs.data);
}

/* Its parts stand in a JSON file of another verifier. */
static void real_json_quote(void **state)
{
	(void)state;
	static struct policy p;
	static struct checks c;
	static uint8_t ak[1024], quote[1024], signature[1024];
	size_t size;

	if (vectors_present() < 0)
		skip();
	uint8_t *text = vector_read("tpm/quote-swtpm/evidence.json", &size);
	json_t *j = json_loadb((const char *)text, size, 0, NULL);
	json_t *inner = json_object_get(j, "tpm_quote");
	struct request r = { .ak = { ak, 0, "ak" } };
	r.ak.size =
		vector_base64(json_string_value(json_object_get(j, "ak_public")), ak, sizeof(ak));
	r.evidence =
		(struct blob){ quote,
			       vector_base64(json_string_value(json_object_get(inner, "message")),
					     quote, sizeof(quote)),
			       "quote" };
	r.signature =
		(struct blob){ signature,
			       vector_base64(json_string_value(json_object_get(inner, "signature")),
					     signature, sizeof(signature)),
			       "signature" };
	json_t *banks = json_pack("{s:O}", "sha256", json_object_get(inner, "pcrs"));
	char *values = json_dumps(banks, 0);
	r.pcrs = (struct blob){ (uint8_t *)values, strlen(values), "pcrs" };
	assert_int_equal(appraise_real(&r, &p, &c), EX_OK);
	assert_int_equal(c.item[0].status, CHECK_PASS);
	free(values);
	json_decref(banks);
	json_decref(j);
	free(text);
}

/* A real CC log beside the RTMRs it leads to, and one whose firmware logged a separator twice. */
static void cc_log(const char *name, bool second, enum exit_status want, const char *failing)
{
	static struct checks c;
	struct log_policy policy;
	uint8_t rtmr[EVENTLOG_RTMRS][48];
	uint32_t touched;
	struct err e = { 0 };
	size_t size;

	policy_log_base(POLICY_RECOMMENDED, &policy);
	uint8_t *log = vector_read(name, &size);
	assert_int_equal(eventlog_replay_rtmr(log, size, rtmr, &touched, &e), 0);
	rtmr[2][0] ^= second;
	rtmr[3][0] ^= 1; /* the guest's own, after the log */
	memset(&c, 0, sizeof(c));
	check_cc_log(log, size, (const uint8_t(*)[48])rtmr, &policy, NULL, &c);
	assert_int_equal(checks_verdict(&c), want);
	for (size_t i = 0; failing != NULL && i < c.count; i++)
		assert_int_equal(c.item[i].status == CHECK_FAIL,
				 strcmp(c.item[i].id, failing) == 0);
	free(log);
}

static void real_cc_logs_judged(void **state)
{
	(void)state;
	if (vectors_present() < 0)
		skip();
	cc_log("tdx/v4-gce-ccel/ccel.bin", false, EX_OK, NULL);
	cc_log("tdx/v4-gce-ccel/ccel.bin", true, EX_UNAUTHENTIC, "log.replay.rtmr2");
	cc_log("tdx/ccel-dup-separator/ccel.bin", false, EX_REFUSED, "log.separators");
}

/* Logs of real machines, under a TPM of ours that quotes what they lead to. */
static void real_log(const char *name, const json_t *expected)
{
	char path[256], hex[2 * TPM_DIGEST_MAX + 1];
	struct log_policy policy;
	struct log_case log = { .policy = &policy, .allow_sha1 = true };
	static struct checks c;
	static struct replay replays[EVENTLOG_ALG_MAX];
	const char *bank;
	json_t *values;

	policy_log_base(POLICY_RECOMMENDED, &policy);
	snprintf(path, sizeof(path), "%s.bin", name);
	uint8_t *data = vector_read(path, &log.size);
	log.data = data;
	log.checks = &c;
	memset(&c, 0, sizeof(c));
	json_object_foreach(json_object_get(expected, "pcrs"), bank, values)
	{
		struct log_bank *b = &log.bank[log.bank_count];
		struct replay *r = &replays[log.bank_count++];
		b->alg = tpm_alg_from_name(bank);
		for (unsigned i = 0; i < TPM_PCR_COUNT; i++) {
			snprintf(hex, sizeof(hex), "%u", i);
			const char *text = json_string_value(json_object_get(values, hex));
			if (text == NULL)
				continue;
			assert_true(hex_decode(text, r->pcr[i], tpm_alg_size(b->alg)));
			b->value[i] = r->pcr[i];
			b->given |= 1u << i;
		}
	}
	check_log_case(&log);
	if (checks_verdict(&c) != EX_OK)
		fail_msg("%s is refused", name);
	/* One PCR changed. */
	replays[0].pcr[0][0] ^= 1;
	memset(&c, 0, sizeof(c));
	check_log_case(&log);
	assert_int_equal(checks_verdict(&c), EX_UNAUTHENTIC);
	free(data);
}

static void real_logs_judged(void **state)
{
	(void)state;
	const char *name;
	json_t *expected;
	unsigned count = 0;

	if (vectors_present() < 0)
		skip();
	json_t *all = vector_expected();
	json_object_foreach(all, name, expected)
	{
		if (strncmp(name, "tpm/eventlogs/", 14) != 0)
			continue;
		real_log(name, expected);
		count++;
	}
	json_decref(all);
	assert_true(count >= 10);
}
int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(real_split_quote),
		cmocka_unit_test(real_json_quote),
		cmocka_unit_test(real_cc_logs_judged),
		cmocka_unit_test(real_logs_judged),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
