/* pavise-policy: reads a policy as pavise-verify would, and says what it accepts. */
#include "attest/appraise/policy.h"
#include "common/file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PROGRAM "pavise-policy"

static const char usage[] =
	"usage: pavise policy check FILE\n"
	"       pavise policy explain FILE|strict|recommended|permissive|none\n"
	"\n"
	"check says whether a policy keeps its form (docs/PROTOCOL.policy, docs/policy.schema.json);\n"
	"explain lists every key with the value that counts, whether it stands in the file or comes\n"
	"from the built-in policy that the file starts from. Files that a policy names are not read.\n"
	"\n"
	"Exit status: 0 done, 3 malformed, 5 the file cannot be read, 64 wrong option or value.\n";

static int read_policy(const char *path, struct policy *out, struct err *e)
{
	void *text;
	size_t size;
	int r = file_read("policy", path, POLICY_FILE_MAX, 0, &text, &size, e);

	if (r < 0)
		return r;
	r = policy_parse(path, text, size, out, e);
	free(text);
	return r;
}

static int run(bool explain, const char *name, struct err *e)
{
	static struct policy p;
	int base = explain ? policy_base_of_name(name) : -1;
	int r = 0;

	if (base >= 0)
		policy_built_in((enum policy_base)base, &p);
	else
		r = read_policy(name, &p, e);
	if (r < 0)
		return r;
	if (explain)
		policy_explain(stdout, &p);
	else
		printf("policy %s: keeps its form; starts from \"%s\"\n", name,
		       policy_base_name(p.base));
	if (fflush(stdout) != 0 || ferror(stdout))
		return err_errno(e, EX_HOST, errno, "standard output: cannot write");
	return 0;
}

int main(int argc, char **argv)
{
	struct err e = { 0 };

	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--help") == 0)
			return fputs(usage, stdout) < 0 ? EX_HOST : EX_OK;
	bool explain = argc > 1 && strcmp(argv[1], "explain") == 0;
	bool check = argc > 1 && strcmp(argv[1], "check") == 0;
	if ((!explain && !check) || argc != 3 || argv[2][0] == '-')
		(void)err_set(&e, EX_USAGE_ERROR,
			      "give \"check FILE\" or \"explain FILE|NAME\": try --help");
	else
		(void)run(explain, argv[2], &e);
	return e.status == EX_OK ? EX_OK : err_report(&e, PROGRAM);
}
