/* pavise audit: questions to isolation, answered without asking the isolated.
 *   pavise audit policy [FILE]   a binary SELinux policy, loaded or not, of this machine or not
 *   pavise audit vm, host        sandbox/audit, another program: see cli/main.c */
#include "policy/audit/diff.h"
#include "policy/audit/scope.h"

#include <getopt.h>
#include <string.h>

#define PROGRAM "pavise-audit"
#define LOADED "/sys/fs/selinux/policy"

static const char usage[] =
	"usage: pavise audit policy [FILE] [--domain TYPE] [--against FILE] [--threshold N]\n"
	"                           [--json]\n"
	"       pavise audit policy [FILE] --rules\n"
	"\n"
	"Asks a binary SELinux policy, with its constraints, what a process of one VM may do to\n"
	"another VM, to the system and through others. FILE is a policy as a kernel loads it\n"
	"(policy.33); the running kernel's, " LOADED ", when not given. SELinux need\n"
	"not run here, and nothing is changed.\n"
	"\n"
	"  --domain TYPE   the domain that runs VMs; pavise's own when the policy has them, else\n"
	"                  svirt_t\n"
	"  --against FILE  instead: what the policy decides otherwise than that one\n"
	"  --threshold N   exposure (0 to 10) that is still accepted; 0 when not given\n"
	"  --json          machine-readable output, docs/PROTOCOL.audit\n"
	"  --rules         instead: the rules that name pavise's types, a line each\n"
	"  --help          this text\n"
	"\n"
	"Running VMs and the host: pavise audit vm --help.\n"
	"\n"
	"Exit status: 0 exposure within the threshold, 1 above it, 3 no policy, 5 the file cannot be\n"
	"read, 64 wrong option.\n";

struct options {
	const char *file, *domain, *against;
	double threshold;
	bool json, rules, help;
};

static int take(struct options *o, int option, struct err *e)
{
	switch (option) {
	case 'd': o->domain = optarg; return 0;
	case 'a': o->against = optarg; return 0;
	case 't': return report_threshold(optarg, &o->threshold, e);
	case 'j': o->json = true; return 0;
	case 'r': o->rules = true; return 0;
	case 'h': o->help = true; return 0;
	}
	return err_set(e, EX_USAGE_ERROR, "unknown option: try --help");
}

static int parse(int argc, char **argv, struct options *o, struct err *e)
{
	static const struct option long_options[] = {
		{ "domain", required_argument, NULL, 'd' },
		{ "against", required_argument, NULL, 'a' },
		{ "threshold", required_argument, NULL, 't' },
		{ "json", no_argument, NULL, 'j' },
		{ "rules", no_argument, NULL, 'r' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c, rc = 0;

	*o = (struct options){ .file = LOADED };
	opterr = 0;
	while (rc == 0 && !o->help && (c = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		rc = take(o, c, e);
	if (rc != 0 || o->help)
		return rc;
	if (optind == argc || strcmp(argv[optind], "policy") != 0)
		return err_set(e, EX_USAGE_ERROR, "say what to audit: policy, vm or host (try --help)");
	if (argc - optind > 2)
		return err_set(e, EX_USAGE_ERROR, "%.64s: one policy at a time", argv[optind + 2]);
	if (argc - optind == 2)
		o->file = argv[optind + 1];
	return 0;
}

static int examine(const struct scope *s, struct report *r, struct err *e)
{
	int rc = audit_base(s, r, e);

	if (rc == 0)
		rc = audit_reach(s, r, e);
	if (rc == 0)
		rc = audit_powers(s, r, e);
	if (rc == 0)
		rc = audit_flow(s, r, e);
	if (rc == 0 && s->ours)
		rc = audit_rules(s, r, e);
	return rc == 0 ? audit_walls(s, r, e) : rc;
}

static int compare(const struct options *o, const struct scope *s, struct report *r, struct err *e)
{
	struct pdb *before = NULL;
	int rc = pdb_open(o->against, &before, e);

	if (rc == 0)
		rc = audit_diff(s, before, r, e);
	pdb_close(before);
	return rc;
}

static int audit(const struct options *o, struct pdb *db, struct err *e)
{
	struct report r = { 0 };
	struct scope s;
	int rc = scope_make(&s, db, o->domain, e);

	if (rc == 0)
		rc = o->against != NULL ? compare(o, &s, &r, e) : examine(&s, &r, e);
	const char *view = s.ours ? "pavise's domains" : pdb_type_name(db, s.domain[0]);
	const struct audit_object object = { "pavise-policy-audit", "policy", o->file, view };
	if (rc == 0)
		rc = o->json ? report_json(&r, &object, stdout, e) :
			       report_text(&r, &object, stdout, e);
	if (rc == 0 && report_exposure(&r) > o->threshold)
		rc = -EX_REFUSED; /* said already */
	report_free(&r);
	return rc;
}

int main(int argc, char **argv)
{
	struct err e = { 0 };
	struct options o;
	struct pdb *db = NULL;
	int rc = parse(argc, argv, &o, &e);

	if (rc == 0 && o.help)
		return fputs(usage, stdout) < 0 ? EX_HOST : EX_OK;
	if (rc == 0)
		rc = pdb_open(o.file, &db, &e);
	if (rc == 0)
		rc = o.rules ? rules_print(db, stdout, &e) : audit(&o, db, &e);
	pdb_close(db);
	if (rc == -EX_REFUSED && e.status == EX_OK)
		return EX_REFUSED;
	return rc < 0 ? err_report(&e, PROGRAM) : EX_OK;
}
