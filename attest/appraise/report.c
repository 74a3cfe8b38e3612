#include "attest/appraise/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int flushed(FILE *f, struct err *e)
{
	if (fflush(f) != 0 || ferror(f))
		return err_errno(e, EX_HOST, errno, "standard output: cannot write");
	return 0;
}

static void print_check(FILE *f, const struct pavise_check *k)
{
	static const char *const outcomes[] = { "pass", "fail", "skipped" };
	const struct {
		const char *name, *text;
	} more[] = {
		{ "have", k->have },	     { "need", k->need }, { "component", k->component },
		{ "advisory", k->advisory }, { "next", k->next },
	};

	fprintf(f, "%-7s %s: %s\n", outcomes[k->outcome], k->id, k->note);
	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++)
		if (more[i].text[0] != '\0')
			fprintf(f, "        %s %s\n", more[i].name, more[i].text);
}

int report_text(FILE *f, const struct pavise_result *r, struct err *e)
{
	const char *verdict = pavise_result_verdict(r);
	struct pavise_check k;

	for (size_t i = 0; pavise_result_check(r, i, &k) == PAVISE_OK; i++)
		print_check(f, &k);
	/* A verdict that rests on less says so itself. */
	if (strcmp(verdict, "affirming") == 0)
		fprintf(f, "verdict: %s (%s)\n", verdict, pavise_result_scope(r));
	else
		fprintf(f, "verdict: %s\n", verdict);
	return flushed(f, e);
}

int report_json(FILE *f, const struct pavise_result *r, struct err *e)
{
	char *text = pavise_result_json(r);

	if (text == NULL)
		return err_set(e, EX_INTERNAL, "cannot make the JSON output");
	fprintf(f, "%s\n", text);
	free(text);
	return flushed(f, e);
}
