/* Policies of plain machines: each rule of their form broken alone, named in the refusal, and all
 * they demand explained. */
#include "attest/appraise/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FORM "\"format\": \"pavise-policy\""
#define HEAD "{" FORM ", \"version\": 0, \"tee\": \"none\""
#define KEY "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define MACHINES "\"cpus\": [1, 2], \"memory\": [\"512M\"], \"pci_slots\": [0, 16]"
#define PLAN HEAD ", \"plan\": \"a.plan\", \"banks\": [\"sha256\"], "
#define TEN "1, 1, 1, 1, 1, 1, 1, 1, 1, 1, "

static struct policy policy;
static struct err fault;

static int parse(const char *text)
{
	fault = (struct err){ 0 };
	return policy_parse("test", text, strlen(text), &policy, &fault);
}

static void good_is_read(void **state)
{
	(void)state;
	assert_int_equal(parse(PLAN MACHINES ", \"ak_sha256\": [\"" KEY "\"]}"), 0);
	assert_true(policy.has_plan && policy.bank[EXPECT_SHA256] && !policy.bank[EXPECT_SHA384]);
	assert_string_equal(policy.plan, "a.plan");
	assert_int_equal(policy.cpus_count, 2);
	assert_int_equal(policy.pci_slots[1], 16);
	assert_true(policy.memory[0] == 512ull << 20);
	assert_int_equal(policy.ak_sha256[0][31], 0x1f);
}

/* text is refused, and the refusal says why. */
static const struct {
	const char *text, *why;
} refused[] = {
	{ "{\"format\": \"policy\", \"version\": 0}", "\"format\" is not" },
	{ "{" FORM ", \"version\": 1}", "version 1" },
	{ "{" FORM ", \"version\": 0, \"base\": \"none\"}", "\"base\" is \"none\"" },
	{ "{" FORM ", \"version\": 0, \"base\": \"lax\"}", "\"base\" is \"lax\"" },
	{ PLAN "\"cpus\": [], \"memory\": [\"1G\"], \"pci_slots\": [0]}", "\"cpus\" has 0 members" },
	{ PLAN "\"cpus\": [" TEN TEN TEN TEN TEN TEN TEN "1], \"memory\": [\"1G\"], "
	       "\"pci_slots\": [0]}",
	  "\"cpus\" has 71 members" },
	{ PLAN "\"cpus\": [0], \"memory\": [\"1G\"], \"pci_slots\": [0]}", "\"cpus\": member 0" },
	{ PLAN "\"cpus\": [1], \"memory\": [\"1G\"], \"pci_slots\": [1, 32]}",
	  "\"pci_slots\": member 1" },
	{ PLAN "\"cpus\": [1], \"memory\": [\"1X\"], \"pci_slots\": [0]}", "\"memory\"" },
	{ HEAD ", \"plan\": \"a.plan\", \"banks\": [\"sha1\"], " MACHINES "}",
	  "\"banks\": member 0" },
	{ HEAD ", \"plan\": \"a.plan\", \"banks\": [], " MACHINES "}", "\"banks\" has 0 members" },
	{ PLAN MACHINES ", \"ak_sha256\": [\"" KEY "\", \"00\"]}", "\"ak_sha256\": member 1" },
	{ HEAD ", \"banks\": [\"sha256\"]}", "exactly one of \"plan\" and \"reference\"" },
	{ HEAD ", \"banks\": [\"sha256\"], \"reference\": {\"pcrs\": {\"sha256\": {\"0\": \"" KEY
	       "\"}}}, \"cpus\": [1]}",
	  "\"cpus\" has a meaning with \"plan\" only" },
	{ HEAD ", \"banks\": [\"sha256\"], \"reference\": {\"pcrs\": {\"sha256\": {\"0\": \"" KEY
	       "\"}}}}",
	  "bank sha256 must have PCR 0 to 7" },
};

static void each_rule_is_held(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		if (parse(refused[i].text) != -EX_MALFORMED ||
		    strstr(fault.text, refused[i].why) == NULL)
			fail_msg("%s: \"%s\", not \"%s\"", refused[i].text, fault.text,
				 refused[i].why);
	}
}

static void size_is_bounded(void **state)
{
	(void)state;
	char *text = malloc(POLICY_FILE_MAX + 1u);

	assert_non_null(text);
	memset(text, ' ', POLICY_FILE_MAX + 1u);
	fault = (struct err){ 0 };
	assert_int_equal(policy_parse("test", text, POLICY_FILE_MAX + 1u, &policy, &fault),
			 -EX_MALFORMED);
	assert_non_null(strstr(fault.text, "larger than 1 MiB"));
	free(text);
}

static void machines_are_explained(void **state)
{
	(void)state;
	static const char *const lines[] = { "plan = \"a.plan\"", "cpus = 1 2", "pci_slots = 0 16",
					     "memory = 512M", "banks: sha256 is demanded\n" };
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	assert_non_null(f);
	assert_int_equal(parse(PLAN MACHINES "}"), 0);
	policy_explain(f, &policy);
	fclose(f);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (strstr(text, lines[i]) == NULL)
			fail_msg("\"%s\" is not in: %s", lines[i], text);
	assert_null(strstr(text, "sha384 is demanded"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_is_read),
		cmocka_unit_test(each_rule_is_held),
		cmocka_unit_test(size_is_bounded),
		cmocka_unit_test(machines_are_explained),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
