/* pavise-verify: judges evidence. Offline: it opens the files it is given and nothing else. */
#include "attest/appraise/appraise.h"
#include "attest/appraise/report.h"
#include "common/bytes.h"
#include "common/file.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROGRAM "pavise-verify"

static const char usage[] =
	"usage: pavise verify bundle FILE --policy F [--nonce HEX] [--json]\n"
	"\n"
	"Checks evidence (docs/PROTOCOL.evidence) against a policy (docs/PROTOCOL.policy), lists\n"
	"every check as pass, fail or skipped, and ends with a verdict.\n"
	"\n"
	"  --policy F    what to accept; without one the verdict is a refusal\n"
	"  --nonce HEX   the nonce you chose for this evidence, 16 to 64 bytes\n"
	"  --json        machine-readable output, docs/verify-result.schema.json\n"
	"  --help        this text\n"
	"\n"
	"Exit status: 0 affirming, 1 refused by policy, 2 not authentic, 3 evidence, policy or "
	"plan\n"
	"malformed, 5 a file cannot be read, 64 wrong option or value. The worst failure counts.\n";

struct options {
	const char *bundle, *policy, *nonce_text;
	uint8_t nonce[BINDING_NONCE_MAX];
	size_t nonce_size;
	int json, help;
};

/* Everything a run owns. */
struct run {
	struct evidence evidence;
	struct policy policy;
	struct plan plan;
	struct plain_contents contents;
	struct expect_base base;
	struct checks checks;
	void *plan_data;
};

enum { OPT_POLICY = 256, OPT_NONCE, OPT_JSON, OPT_HELP };

static const struct option long_options[] = {
	{ "policy", required_argument, NULL, OPT_POLICY },
	{ "nonce", required_argument, NULL, OPT_NONCE },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "help", no_argument, NULL, OPT_HELP },
	{ NULL, 0, NULL, 0 },
};

static int take_nonce(struct options *o, struct err *e)
{
	size_t n = strlen(o->nonce_text) / 2;

	if (n < BINDING_NONCE_MIN || n > BINDING_NONCE_MAX ||
	    !hex_decode(o->nonce_text, o->nonce, n))
		return err_set(e, EX_USAGE_ERROR, "nonce: give %u to %u bytes in hexadecimal",
			       BINDING_NONCE_MIN, BINDING_NONCE_MAX);
	o->nonce_size = n;
	return 0;
}

static int parse_options(int argc, char **argv, struct options *o, struct err *e)
{
	int c;

	*o = (struct options){ 0 };
	while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		switch (c) {
		case OPT_POLICY:
			o->policy = optarg;
			break;
		case OPT_NONCE:
			o->nonce_text = optarg;
			break;
		case OPT_JSON:
			o->json = 1;
			break;
		case OPT_HELP:
			o->help = 1;
			return 0;
		default:
			return err_set(e, EX_USAGE_ERROR,
				       "unknown or incomplete option: try --help");
		}
	}
	if (optind >= argc || strcmp(argv[optind], "bundle") != 0)
		return err_set(e, EX_USAGE_ERROR,
			       "%s: unknown kind of evidence: give \"bundle\" (try --help)",
			       optind < argc ? argv[optind] : "(nothing)");
	if (optind + 2 != argc)
		return err_set(e, EX_USAGE_ERROR, "give exactly one evidence file: try --help");
	o->bundle = argv[optind + 1];
	return o->nonce_text != NULL ? take_nonce(o, e) : 0;
}

/* The plan's path is relative to the policy file, so that both can be moved together. */
static int plan_path(const char *policy, const char *plan, char *out, size_t size, struct err *e)
{
	const char *slash = strrchr(policy, '/');
	int folder = plan[0] == '/' || slash == NULL ? 0 : (int)(slash - policy + 1);
	int n = snprintf(out, size, "%.*s%s", folder, policy, plan);

	if (n < 0 || (size_t)n >= size)
		return err_set(e, EX_MALFORMED, "policy %s: the path of its plan is too long",
			       policy);
	return 0;
}

static int read_policy(const char *path, struct run *run, struct err *e)
{
	char plan[8192];
	void *text;
	size_t size;
	int r = file_read("policy", path, POLICY_FILE_MAX, 0, &text, &size, e);

	if (r < 0)
		return r;
	r = policy_parse(path, text, size, &run->policy, e);
	free(text);
	if (r < 0 || !run->policy.has_plan)
		return r;
	r = plan_path(path, run->policy.plan, plan, sizeof(plan), e);
	if (r == 0)
		r = file_read("plan", plan, PLAN_FILE_MAX, 0, &run->plan_data, &size, e);
	if (r == 0)
		r = plan_parse(plan, run->plan_data, size, &run->plan, e);
	if (r == 0)
		r = plain_plan_open(plan, &run->plan, &run->contents, e);
	return r == 0 ? expect_base_make(&run->contents, &run->base, e) : r;
}

static int read_evidence(const char *path, struct run *run, struct err *e)
{
	void *text;
	size_t size;
	int r = file_read("evidence", path, EVIDENCE_FILE_MAX, 0, &text, &size, e);

	if (r < 0)
		return r;
	r = evidence_parse(path, text, size, &run->evidence, e);
	free(text);
	/* A reader of the JSON output gets a verdict for malformed evidence, too. */
	if (r == -EX_MALFORMED)
		check_fail_err(&run->checks, "evidence.form", e);
	return r;
}

/* The exit status, or negative with *e filled. */
static int verify(const struct options *o, struct run *run, struct err *e)
{
	int r = o->policy != NULL ? read_policy(o->policy, run, e) : 0;

	if (r < 0)
		return r;
	r = read_evidence(o->bundle, run, e);
	if (r < 0) {
		struct err unused = { 0 };
		if (o->json && run->checks.count > 0)
			report_json(stdout, &run->checks, &unused);
		return r;
	}
	struct appraisal a = {
		.evidence = &run->evidence,
		.policy = o->policy != NULL ? &run->policy : NULL,
		.base = run->plan_data != NULL ? &run->base : NULL,
		.nonce = o->nonce_text != NULL ? o->nonce : NULL,
		.nonce_size = o->nonce_size,
		.checks = &run->checks,
	};
	r = appraise(&a, e);
	if (r == 0)
		r = o->json ? report_json(stdout, &run->checks, e)
			    : report_text(stdout, &run->checks, e);
	return r < 0 ? r : (int)checks_verdict(&run->checks);
}

int main(int argc, char **argv)
{
	struct options o;
	struct err e = { 0 };

	opterr = 0;
	int r = parse_options(argc, argv, &o, &e);
	if (r == 0 && o.help)
		return fputs(usage, stdout) < 0 ? EX_HOST : EX_OK;
	if (r < 0)
		return err_report(&e, PROGRAM);
	struct run *run = calloc(1, sizeof(*run));
	if (run == NULL)
		r = err_set(&e, EX_HOST, "out of memory");
	else
		r = verify(&o, run, &e);
	if (run != NULL)
		free(run->plan_data);
	free(run);
	return r < 0 ? err_report(&e, PROGRAM) : r;
}
