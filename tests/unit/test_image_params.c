/* The words of the command line as the guest's init takes them (docs/PROTOCOL.image). */
#include "guest/params.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define H1 "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define H2 "ff112233445566778899aabbccddeeff00112233445566778899aabbccddee00"
#define HASH "pavise.root_hash=" H1
#define SALT "pavise.root_salt=" H2
#define BLOCKS "pavise.root_blocks=77"
#define ROOT HASH " " SALT " " BLOCKS

static void all_words(void **state)
{
	(void)state;
	struct guest_params p;
	struct err e = { 0 };

	assert_int_equal(guest_params_parse("console=ttyS0 " ROOT " pavise.data=" H2
					    "\tpavise.run=/bin/x quiet\n", &p, &e), 0);
	assert_int_equal(p.root_hash[1], 0x11);
	assert_int_equal(p.root_salt[0], 0xff);
	assert_int_equal(p.root_blocks, 77);
	assert_true(p.has_data);
	assert_int_equal(p.data_id[31], 0);
	assert_string_equal(p.run, "/bin/x");
	assert_int_equal(guest_params_parse(ROOT, &p, &e), 0);
	assert_false(p.has_data);
	assert_string_equal(p.run, "");
}

static void what_is_refused(void **state)
{
	(void)state;
	static const struct {
		const char *line, *says;
	} rows[] = {
		{ "", "root_hash: missing" },
		{ SALT " " BLOCKS, "root_hash: missing" },
		{ HASH " " BLOCKS, "root_salt: missing" },
		{ HASH " " SALT, "root_blocks: missing" },
		{ ROOT " " HASH, "root_hash: given twice" },
		{ ROOT " pavise.verity=off", "unknown" },
		{ ROOT " pavise.", "unknown" },
		{ ROOT " pavise.run", "unknown" },
		{ ROOT " pavise.root_hashes=1", "unknown" },
		{ ROOT " pavise.run=bin/x", "absolute path" },
		{ ROOT " pavise.run=", "absolute path" },
		{ ROOT " foo=\"a pavise.run=/x\"", "quote" },
		{ HASH "0 " SALT " " BLOCKS, "64 hexadecimal" },
		{ "pavise.root_hash=xx " SALT " " BLOCKS, "64 hexadecimal" },
		{ HASH " " SALT " pavise.root_blocks=0", "number of blocks" },
		{ HASH " " SALT " pavise.root_blocks=4294967297", "number of blocks" },
		{ HASH " " SALT " pavise.root_blocks=-1", "number of blocks" },
		{ HASH " " SALT " pavise.root_blocks=077", "number of blocks" },
		{ HASH " " SALT " pavise.root_blocks=", "number of blocks" },
		{ ROOT " pavise.data=", "64 hexadecimal" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct guest_params p;
		struct err e = { 0 };
		assert_int_equal(guest_params_parse(rows[i].line, &p, &e), -EX_MALFORMED);
		if (strstr(e.text, rows[i].says) == NULL)
			fail_msg("%s: said %s", rows[i].line, e.text);
	}
}

static void bounds(void **state)
{
	(void)state;
	char line[PARAMS_CMDLINE_MAX + 8], path[PARAMS_RUN_MAX + 8];
	struct guest_params p;
	struct err e = { 0 }, f = { 0 };

	memset(line, ' ', sizeof(line));
	memcpy(line, ROOT, strlen(ROOT));
	line[PARAMS_CMDLINE_MAX] = '\0';
	assert_int_equal(guest_params_parse(line, &p, &e), 0);
	memcpy(line + PARAMS_CMDLINE_MAX, " ", 2);
	assert_int_equal(guest_params_parse(line, &p, &e), -EX_MALFORMED);
	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[PARAMS_RUN_MAX + 1] = '\0';
	snprintf(line, sizeof(line), ROOT " pavise.run=%s", path);
	assert_int_equal(guest_params_parse(line, &p, &f), -EX_MALFORMED);
	line[strlen(line) - 1] = '\0';
	assert_int_equal(guest_params_parse(line, &p, &f), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_words),
		cmocka_unit_test(what_is_refused),
		cmocka_unit_test(bounds),
	};

	return cmocka_run_group_tests_name("image_params", tests, NULL, NULL);
}
