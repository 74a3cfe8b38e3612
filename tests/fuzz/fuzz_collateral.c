/* Collateral in any form from anyone: nothing is proven that no root vouches for, and what is read
 * can be written and read again. */
#include "attest/collateral/survey.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct collateral one, again;
static struct survey survey;

static void write_again(void)
{
	struct err e = { 0 };
	char *text;
	size_t size;

	if (collateral_write(&one, 1800000000, &text, &size, &e) < 0)
		return; /* Base64 makes more of it than a bundle may hold. */
	if (collateral_parse("again", (uint8_t *)text, size, &again, &e) < 0 ||
	    again.parts != one.parts || again.size != one.size)
		abort();
	for (size_t i = 0; i < one.parts; i++)
		if (again.part[i].kind != one.part[i].kind ||
		    memcmp(again.part[i].sha256, one.part[i].sha256, 32) != 0)
			abort();
	collateral_free(&again);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct collateral_trust trust = { .now = 1800000000 };
	struct err e = { 0 };
	char what[128];

	if (collateral_parse("input", data, size, &one, &e) < 0) {
		if (e.status != EX_MALFORMED || e.text[0] == '\0' || one.parts != 0)
			abort();
		return 0;
	}
	survey_make(&one, &trust, &survey);
	for (size_t i = 0; i < one.parts; i++) {
		survey_describe(&one.part[i], what, sizeof(what));
		if (one.part[i].kind == COLLATERAL_TCB_INFO && survey.proof[i].private_root)
			abort();
	}
	write_again();
	collateral_free(&one);
	return 0;
}
