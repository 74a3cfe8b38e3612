/* Policies as tables: each kind of value read, bounded and explained; the built-in ones. */
#include "attest/appraise/policy.h"
#include "common/rfc3339.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct sample {
	bool flag;
	uint64_t number, mask;
	struct policy_number optional;
	struct policy_numbers numbers;
	struct policy_bytes bytes;
	struct policy_digests digests;
	struct policy_words words;
	struct policy_time time;
};

#define FIELD(f) offsetof(struct sample, f)
static const char *const words[] = { "one", "two", "three", NULL };
static const struct policy_key keys[] = {
	{ "flag", POLICY_BOOL, FIELD(flag), 0, NULL, "a flag" },
	{ "number", POLICY_NUMBER, FIELD(number), 9, NULL, "a number" },
	{ "mask", POLICY_MASK, FIELD(mask), 0, NULL, "a mask" },
	{ "optional", POLICY_OPTIONAL, FIELD(optional), 3, NULL, "a number or not" },
	{ "numbers", POLICY_NUMBERS, FIELD(numbers), 255, words, "some numbers" },
	{ "bytes", POLICY_BYTES, FIELD(bytes), 2, NULL, "two bytes" },
	{ "digests", POLICY_DIGESTS, FIELD(digests), 4, NULL, "digests" },
	{ "words", POLICY_WORDS, FIELD(words), 0, words, "words" },
	{ "time", POLICY_TIME, FIELD(time), 0, NULL, "a time" },
	{ .name = NULL },
};

static int take(const char *text, struct sample *out)
{
	json_t *j = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	struct err e = { 0 };

	assert_non_null(j);
	int r = policy_keys_read("test", j, keys, out, &e);
	json_decref(j);
	if (r < 0)
		assert_non_null(strstr(e.text, "test"));
	return r;
}

static const char full[] =
	"{\"flag\":true,\"number\":9,\"mask\":\"0xFFffFFffFFffFFff\",\"optional\":3,"
	"\"numbers\":{\"two\":7,\"three\":255},\"bytes\":\"0aFF\","
	"\"digests\":[\"00112233\",\"ffffffff\"],\"words\":[\"three\",\"one\"],"
	"\"time\":\"1970-01-02T01:00:00+01:00\"}";

static void every_kind(void **state)
{
	(void)state;
	struct sample s = { 0 };

	assert_int_equal(take(full, &s), 0);
	assert_true(s.flag && s.number == 9 && s.mask == UINT64_MAX);
	assert_true(s.optional.given && s.optional.value == 3);
	assert_int_equal(s.numbers.given, 6);
	assert_int_equal(s.numbers.value[2], 255);
	assert_true(s.bytes.given && s.bytes.size == 2 && s.bytes.value[1] == 0xff);
	assert_int_equal(s.digests.count, 2);
	assert_int_equal(s.digests.size, 4);
	assert_true(s.words.given && s.words.set == 5);
	assert_true(s.time.given && s.time.value == 86400);
	/* What may be absent can be taken back from the base. */
	assert_int_equal(take("{\"optional\":null,\"bytes\":null,\"digests\":null,\"words\":null,"
			      "\"time\":null}",
			      &s),
			 0);
	assert_false(s.optional.given || s.bytes.given || s.words.given || s.time.given);
	assert_int_equal(s.digests.count, 0);
	assert_true(s.flag && s.number == 9);
}

static void wrong_values(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"{\"flga\":true}",
		"{\"flag\":1}",
		"{\"flag\":null}",
		"{\"number\":10}",
		"{\"number\":-1}",
		"{\"number\":1.5}",
		"{\"number\":\"1\"}",
		"{\"number\":null}",
		"{\"mask\":1}",
		"{\"mask\":\"0x\"}",
		"{\"mask\":\"1f\"}",
		"{\"mask\":\"0x10000000000000000\"}",
		"{\"mask\":\"0x-1\"}",
		"{\"optional\":4}",
		"{\"optional\":\"any\"}",
		"{\"numbers\":[1]}",
		"{\"numbers\":{\"four\":1}}",
		"{\"numbers\":{\"one\":256}}",
		"{\"bytes\":\"0a\"}",
		"{\"bytes\":\"0a0g\"}",
		"{\"bytes\":\"0a0b0c\"}",
		"{\"digests\":\"00112233\"}",
		"{\"digests\":[]}",
		"{\"digests\":[\"001122\"]}",
		"{\"digests\":[1]}",
		"{\"words\":\"one\"}",
		"{\"words\":[\"four\"]}",
		"{\"words\":[\"on\"]}",
		"{\"words\":[1]}",
		"{\"time\":0}",
		"{\"time\":\"1970-01-02\"}",
		"{\"time\":\"1970-02-30T00:00:00Z\"}",
	};
	struct sample s = { 0 };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (take(bad[i], &s) != -EX_MALFORMED)
			fail_msg("taken: %s", bad[i]);
	char many[600];
	size_t used = 0;
	for (unsigned i = 0; i <= POLICY_LIST_MAX; i++)
		used += (size_t)snprintf(many + used, sizeof(many) - used, "%s\"00112233\"",
					 i == 0 ? "{\"digests\":[" : ",");
	snprintf(many + used, sizeof(many) - used, "]}");
	assert_int_equal(take(many, &s), -EX_MALFORMED);
}

static char *explain_to_text(const struct sample *s)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	assert_non_null(f);
	policy_keys_explain(f, "test", keys, s);
	fclose(f);
	return text;
}

static void explained(void **state)
{
	(void)state;
	static const char *const want[] = {
		"test.flag = true\n        a flag\n",
		"test.number = 9\n",
		"test.mask = \"0xffffffffffffffff\"\n",
		"test.optional = 3\n",
		"test.numbers = {\"two\": 7, \"three\": 255}\n",
		"test.bytes = \"0aff\"\n",
		"test.digests = [\"00112233\", \"ffffffff\"]\n",
		"test.words = [\"one\", \"three\"]\n",
		"test.time = \"1970-01-02T00:00:00Z\"\n",
	};
	struct sample s = { 0 };

	assert_int_equal(take(full, &s), 0);
	char *text = explain_to_text(&s);
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		if (strstr(text, want[i]) == NULL)
			fail_msg("not in the text: %s", want[i]);
	free(text);
	memset(&s, 0, sizeof(s));
	text = explain_to_text(&s);
	assert_non_null(strstr(text, "test.digests = absent: anything\n"));
	assert_non_null(strstr(text, "test.time = absent: anything\n"));
	free(text);
}

static void listed(void **state)
{
	(void)state;
	struct policy_digests list = { .count = 2, .size = 4, .value = { { 1, 2, 3, 4 }, { 9 } } };

	assert_true(policy_digest_listed(&list, (const uint8_t[]){ 1, 2, 3, 4 }, 4));
	assert_true(policy_digest_listed(&list, (const uint8_t[]){ 9, 0, 0, 0 }, 4));
	assert_false(policy_digest_listed(&list, (const uint8_t[]){ 1, 2, 3, 5 }, 4));
	assert_false(policy_digest_listed(&list, (const uint8_t[]){ 1, 2, 3 }, 3));
	list.count = 0;
	assert_false(policy_digest_listed(&list, (const uint8_t[]){ 1, 2, 3, 4 }, 4));
}

static void times(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t want;
	} good[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2025-06-20T10:00:00+02:00", 1750406400 },
		{ "2025-06-20T08:00:00Z", 1750406400 },
		{ "2025-06-20t08:00:00.999z", 1750406400 },
		{ "2025-06-20 03:30:00-04:30", 1750406400 },
		{ "2024-02-29T00:00:00Z", 1709164800 },
		{ "2100-01-01T00:00:00Z", 4102444800 },
	};
	static const char *const bad[] = {
		"",
		"2025-06-20",
		"2025-06-20T08:00:00",
		"2025-06-20T08:00:00Z ",
		"2025-6-20T08:00:00Z",
		"2025-13-20T08:00:00Z",
		"2025-00-20T08:00:00Z",
		"2025-02-29T08:00:00Z",
		"2025-06-00T08:00:00Z",
		"2025-06-20T24:00:00Z",
		"2025-06-20T08:60:00Z",
		"2025-06-20T08:00:60Z",
		"2025-06-20T08:00:00.Z",
		"2025-06-20T08:00:00+0200",
		"2025-06-20T08:00:00+24:00",
		"2025-06-20T08:00:00+02:60",
		"+025-06-20T08:00:00Z",
		"tomorrow",
	};
	int64_t t;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(rfc3339_parse(good[i].text, &t));
		assert_true(t == good[i].want);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (rfc3339_parse(bad[i], &t))
			fail_msg("taken: %s", bad[i]);
}

#define HEAD "{\"format\":\"pavise-policy\",\"version\":0"

static int parse(const char *text, struct policy *p)
{
	struct err e = { 0 };

	return policy_parse("policy", text, strlen(text), p, &e);
}

static void bases(void **state)
{
	(void)state;
	static struct policy p, built;

	for (int i = 0; i < POLICY_BASES; i++)
		assert_int_equal(policy_base_of_name(policy_base_name((enum policy_base)i)), i);
	assert_int_equal(policy_base_of_name("strictly"), -1);
	policy_built_in(POLICY_STRICT, &built);
	assert_true(built.any_tee && built.require_nonce && built.snp.require_measurement);
	assert_true(built.tpm.require_reference && built.log.require);
	assert_false(built.snp.allow_smt || built.snp.allow_debug || built.tdx.allow_debug);
	assert_int_equal(parse(HEAD ",\"base\":\"strict\"}", &p), 0);
	assert_memory_equal(&p, &built, sizeof(p));
	policy_built_in(POLICY_PERMISSIVE, &built);
	assert_false(built.snp.allow_debug || built.tdx.allow_debug || built.snp.vmpl.given);
	assert_true(built.snp.allow_migration);
	/* A key overrides its base, and nothing else. */
	assert_int_equal(parse(HEAD ",\"base\":\"strict\",\"require_nonce\":false,"
				    "\"snp\":{\"allow_smt\":true}}",
			       &p),
			 0);
	assert_true(p.snp.allow_smt && p.snp.require_measurement);
	assert_false(p.require_nonce);
	/* The file must say what it starts from or what it is for. */
	assert_int_equal(parse(HEAD "}", &p), -EX_MALFORMED);
	assert_int_equal(parse(HEAD ",\"base\":\"none\"}", &p), -EX_MALFORMED);
	assert_int_equal(parse(HEAD ",\"base\":\"lax\"}", &p), -EX_MALFORMED);
	assert_int_equal(parse(HEAD ",\"tee\":\"tdx\",\"tdx\":{}}", &p), 0);
	assert_true(p.tee == EVIDENCE_TDX && p.require_nonce && !p.any_tee);
	assert_int_equal(parse(HEAD ",\"tee\":\"tdx\",\"snp\":{}}", &p), -EX_MALFORMED);
	assert_int_equal(parse(HEAD ",\"tee\":\"sev-snp\",\"base\":\"recommended\"}", &p), 0);
	assert_false(p.require_nonce);
	assert_int_equal(parse(HEAD ",\"tee\":\"none\",\"base\":\"recommended\"}", &p), 0);
	assert_int_equal(parse(HEAD ",\"base\":\"recommended\",\"tpm\":[]}", &p), -EX_MALFORMED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind), cmocka_unit_test(wrong_values),
		cmocka_unit_test(explained),  cmocka_unit_test(listed),
		cmocka_unit_test(times),      cmocka_unit_test(bases),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
