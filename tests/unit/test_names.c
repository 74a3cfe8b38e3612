/* Names become file names under the run directory: what is let through must be harmless there. */
#include "sandbox/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

static int check(const char *name)
{
	struct err e = { 0 };
	int rc = name_check(name, &e);

	assert_int_equal(-rc, e.status);
	assert_true(rc == 0 || strlen(e.text) > 0);
	return rc;
}

static void accepts_the_alphabet(void **state)
{
	(void)state;
	assert_int_equal(check("a"), 0);
	assert_int_equal(check("abcdefghijklmnopqrstuvwxyz-01234"), 0); /* 32 */
	assert_int_equal(check("0123456789"), 0);
	assert_int_equal(check("-"), 0);
}

static void refuses_lengths(void **state)
{
	(void)state;
	assert_int_equal(check(""), -EX_USAGE_ERROR);
	assert_int_equal(check("abcdefghijklmnopqrstuvwxyz-012345"), -EX_USAGE_ERROR); /* 33 */
}

static void refuses_every_other_byte(void **state)
{
	(void)state;
	for (int c = 1; c < 256; c++) {
		char name[4] = { 'a', (char)c, 'a', '\0' };
		int good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
		assert_int_equal(check(name), good ? 0 : -EX_USAGE_ERROR);
	}
}

static void refuses_paths(void **state)
{
	static const char *const bad[] = { ".", "..", "../x", "a/b", ".pairs", "A", "a b", "a\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(check(bad[i]), -EX_USAGE_ERROR);
}

static void text_drives_no_terminal(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(name_check("\033[2Jx", &e), -EX_USAGE_ERROR);
	assert_null(strchr(e.text, '\033'));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts_the_alphabet),
		cmocka_unit_test(refuses_lengths),
		cmocka_unit_test(refuses_every_other_byte),
		cmocka_unit_test(refuses_paths),
		cmocka_unit_test(text_drives_no_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
