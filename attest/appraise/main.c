/* pavise-verify: judges evidence. Offline: it opens the files it is given and nothing else. */
#include "attest/appraise/inputs.h"
#include "attest/appraise/report.h"

#include <stdio.h>

#define PROGRAM "pavise-verify"

/* The exit status, or negative with *e filled. */
static int verify(const struct options *o, struct err *e)
{
	struct pavise_result *result = NULL;
	struct inputs in = { 0 };
	struct pavise_error why;
	int r = inputs_read(o, &in, e);

	if (r == 0 && pavise_verify(in.request, &result, &why) != PAVISE_OK)
		r = err_set(e, (enum exit_status)why.status, "%s", why.text);
	if (r == 0)
		r = o->json ? report_json(stdout, result, e) : report_text(stdout, result, e);
	if (r == 0)
		r = (int)pavise_result_status(result);
	pavise_result_free(result);
	inputs_free(&in);
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
