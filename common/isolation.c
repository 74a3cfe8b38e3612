#include "common/isolation.h"

#include <stdio.h>
#include <string.h>

const char *isolation_defence(unsigned bit)
{
	static const char *const names[ISOLATION_DEFENCES] = { "labels", "limits", "records" };

	return bit < ISOLATION_DEFENCES ? names[bit] : NULL;
}

void isolation_missing_text(unsigned missing, char out[ISOLATION_TEXT])
{
	size_t used = 0;

	out[0] = '\0';
	for (unsigned bit = 0; bit < ISOLATION_DEFENCES; bit++)
		if ((missing >> bit & 1) != 0)
			used += (size_t)snprintf(out + used, ISOLATION_TEXT - used, "%s%s",
						 used == 0 ? "" : ", ", isolation_defence(bit));
}
