#include "common/err.h"

#include <stdio.h>
#include <string.h>

/* Error texts quote outside bytes (names, paths): nothing in them may drive a terminal. */
static void make_printable(char *text)
{
	for (unsigned char *p = (unsigned char *)text; *p != '\0'; p++)
		if (*p < 0x20 || *p == 0x7f)
			*p = '?';
}

static void set_text(struct err *e, enum exit_status status, const char *fmt, va_list ap)
{
	if (e->status != EX_OK)
		return;
	e->status = status;
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
}

int err_set(struct err *e, enum exit_status status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set_text(e, status, fmt, ap);
	va_end(ap);
	make_printable(e->text);
	return -(int)status;
}

int err_errno(struct err *e, enum exit_status status, int errno_value, const char *fmt, ...)
{
	va_list ap;

	if (e->status == EX_OK) {
		va_start(ap, fmt);
		set_text(e, status, fmt, ap);
		va_end(ap);
		size_t used = strlen(e->text);
		snprintf(e->text + used, sizeof(e->text) - used, ": %s", strerror(errno_value));
		make_printable(e->text);
	}
	return -(int)status;
}
