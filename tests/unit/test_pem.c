/* attest/x509/pem.c: what is kept of files as people keep them. */
#include "attest/x509/pem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define A "-----BEGIN X-----\r\nYQ==\r\n-----END X-----"
#define B "-----BEGIN Y Z-----\nYg==\n-----END Y Z-----"

static void kept(void **state)
{
	static const struct {
		const char *given, *kept;
	} table[] = {
		{ A, A },
		{ A "\n", A "\n" },
		{ "Certificate:\n    Data:\n" A "\nnotes\n" B "\ntail", A "\n" B "\n" },
		{ "# 0 it begins with a digit\n" A "\r\n\r\n" B, A "\n" B "\n" },
		{ A B, A B }, /* nothing between them to put a line end in */
		{ "text only\n", "text only\n" },
		{ "cut -----BEGIN X-----\nYQ==\n", "cut -----BEGIN X-----\nYQ==\n" },
		{ A "\n-----BEGIN X-----\ncut", A "\n" },
		{ "{\"crl\": \"" A "\"}", "{\"crl\": \"" A "\"}" },
		{ "0\x82 DER " A, "0\x82 DER " A },
		{ "", "" },
		{ " \n", " \n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		uint8_t data[256];
		size_t n = strlen(table[i].given);
		memcpy(data, table[i].given, n);
		n = pem_without_text(data, n);
		if (n != strlen(table[i].kept) || memcmp(data, table[i].kept, n) != 0)
			fail_msg("%zu: %.*s", i, (int)n, (char *)data);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(kept) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
