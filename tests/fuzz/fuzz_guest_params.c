/* The command line as the guest's init reads it: what is taken has each word once and in bounds. */
#include "guest/params.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned count(const char *text, const char *word)
{
	unsigned n = 0;

	for (const char *at = text; (at = strstr(at, word)) != NULL; at++)
		n++;
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct guest_params p;
	struct err e = { 0 };
	char *text = malloc(size + 1);

	if (text == NULL)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	if (guest_params_parse(text, &p, &e) == 0) {
		if (count(text, PARAM_ROOT_HASH "=") == 0 ||
		    count(text, PARAM_ROOT_SALT "=") == 0 ||
		    p.root_blocks == 0 || p.root_blocks > PARAMS_BLOCKS_MAX)
			abort();
		if (p.run[0] != '\0' && (p.run[0] != '/' || strpbrk(p.run, " \t\n\"") != NULL))
			abort();
	}
	free(text);
	return 0;
}
