/* pavise-verify: judges evidence. Offline: it opens the files it is given and nothing else. */
#include "attest/appraise/inputs.h"
#include "attest/appraise/report.h"

#include <stdio.h>
#include <stdlib.h>

#define PROGRAM "pavise-verify"

/* The exit status, or negative with *e filled. */
static int verify(const struct options *o, struct err *e)
{
	struct inputs *in = calloc(1, sizeof(*in));
	struct checks *c = calloc(1, sizeof(*c));
	int r;

	if (in == NULL || c == NULL)
		r = err_set(e, EX_HOST, "out of memory");
	else
		r = inputs_read(o, in, e);
	if (r == 0)
		r = appraise(&in->request, c, e);
	if (r == 0)
		r = o->json ? report_json(stdout, c, e) : report_text(stdout, c, e);
	if (r == 0)
		r = (int)checks_verdict(c);
	if (in != NULL)
		inputs_free(in);
	free(in);
	free(c);
	return r;
}

int main(int argc, char **argv)
{
	struct options o;
	struct err e = { 0 };
	int r = options_parse(argc, argv, &o, &e);

	if (r == 0 && o.help)
		return fputs(options_usage, stdout) < 0 ? EX_HOST : EX_OK;
	if (r == 0)
		r = verify(&o, &e);
	return r < 0 ? err_report(&e, PROGRAM) : r;
}
