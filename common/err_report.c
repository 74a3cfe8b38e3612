/* Apart from err.c: only programs print, libpavise-attest does not. */
#include "common/err.h"

#include <stdio.h>

int err_report(const struct err *e, const char *program)
{
	fprintf(stderr, "%s: %s\n", program, e->text);
	return e->status;
}
