/* A kernel's configuration: a row that is called good has, somewhere in the text, the line that
 * makes it so, or wants nothing. */
#include "image/config.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static const char fragment[] = "# Why.\nCONFIG_A=y\n# CONFIG_B is not set\n";
	static struct config c, own;
	struct err e = { 0 }, f = { 0 }, g = { 0 };

	if (config_fragment(fragment, sizeof(fragment) - 1, &c, &e) < 0 || c.count != 2)
		abort();
	/* Any text as a fragment: refused, or rows with names and reasons. */
	if (config_fragment((const char *)data, size, &own, &g) == 0)
		for (size_t i = 0; i < own.count; i++)
			if (own.rows[i].reason[0] == '\0' || own.rows[i].name[0] == '\0')
				abort();
	if (config_check(&c, (const char *)data, size, false, &f) < 0)
		return 0;
	if (c.rows[0].good && memmem(data, size, "CONFIG_A=y", 10) == NULL)
		abort();
	if (!c.rows[1].good && memmem(data, size, "CONFIG_B=", 9) == NULL)
		abort();
	return 0;
}
