#include "tests/kvm/harness.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static unsigned count, failures;

static void result(bool good, const char *fmt, va_list args)
{
	printf("%s %u - ", good ? "ok" : "not ok", ++count);
	vprintf(fmt, args);
	printf("\n");
	failures += !good;
}

void tap_ok(bool good, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	result(good, fmt, args);
	va_end(args);
}

static void comment(const char *title, const char *text)
{
	printf("# %s:\n", title);
	while (*text) {
		int n = (int)strcspn(text, "\n");

		printf("#   %.*s\n", n, text);
		text += n + (text[n] == '\n');
	}
}

void tap_check(const struct harness *h, bool good, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	result(good, fmt, args);
	va_end(args);
	if (good)
		return;
	printf("# ready %d sealed %d end %u detail %u status %d\n", h->ready, h->sealed, h->end,
	       h->detail, h->status);
	comment("console", h->console_text);
	comment("log", h->log_text);
	comment("standard error", h->error_text);
}

void tap_skip(const char *name, const char *reason)
{
	printf("ok %u - %s # SKIP %s\n", ++count, name, reason);
}

int tap_done(void)
{
	printf("1..%u\n", count);
	return failures ? 1 : 0;
}
