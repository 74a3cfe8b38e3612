/* pavise-audit-live: `pavise audit vm` and `pavise audit host`. Root, of whose rights it keeps one:
 * to look at processes of other users; it changes nothing and talks to nobody. */
#include "sandbox/audit/audit.h"
#include "sandbox/rundir.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <jansson.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PROGRAM "pavise-audit-live"

static const char usage[] =
	"usage: pavise audit vm NAME|--all [--run-dir DIR] [--threshold N] [--json]\n"
	"       pavise audit host [--threshold N] [--json]\n"
	"\n"
	"vm compares a running VM with the manifest that its launcher wrote: every process and\n"
	"thread, by what the kernel says in /proc. host looks at the settings below all VMs.\n"
	"What cannot be seen is unknown, and no better than bad. Nothing is changed.\n"
	"\n"
	"  --all           every VM, and who runs as one and is none's\n"
	"  --run-dir DIR   where VMs have their folders; " RUN_DIR " when not given\n"
	"  --threshold N   exposure (0 to 10) that is still accepted; 0 when not given\n"
	"  --json          machine-readable output, docs/PROTOCOL.audit; a list with --all\n"
	"  --root DIR      look at DIR/proc, DIR/sys and DIR/dev instead, for tests\n"
	"  --help          this text\n"
	"\n"
	"Exit status: 0 every exposure within the threshold, 1 one above it, 5 it cannot be seen,\n"
	"6 no such VM, 64 wrong option.\n";

struct options {
	const char *name, *run_dir, *root;
	double threshold;
	bool host, all, json, help;
};

static int take(struct options *o, int option, struct err *e)
{
	switch (option) {
	case 'a': o->all = true; return 0;
	case 'd': o->run_dir = optarg; return 0;
	case 'r': o->root = optarg; return 0;
	case 't': return report_threshold(optarg, &o->threshold, e);
	case 'j': o->json = true; return 0;
	case 'h': o->help = true; return 0;
	}
	return err_set(e, EX_USAGE_ERROR, "unknown option: try --help");
}

static int parse_words(int argc, char **argv, struct options *o, struct err *e)
{
	const int words = argc - optind;

	o->host = words > 0 && strcmp(argv[optind], "host") == 0;
	if (words == 0 || (!o->host && strcmp(argv[optind], "vm") != 0))
		return err_set(e, EX_USAGE_ERROR, "say what to audit: vm or host (try --help)");
	if (words == 2 && !o->host)
		o->name = argv[optind + 1];
	if (words > 2 || (o->host && (words > 1 || o->all)))
		return err_set(e, EX_USAGE_ERROR, "too many words: try --help");
	if (!o->host && (o->name != NULL) == o->all)
		return err_set(e, EX_USAGE_ERROR, "name one VM, or say --all");
	return o->name != NULL ? name_check(o->name, e) : 0;
}

static int parse(int argc, char **argv, struct options *o, struct err *e)
{
	static const struct option long_options[] = {
		{ "all", no_argument, NULL, 'a' },
		{ "run-dir", required_argument, NULL, 'd' },
		{ "root", required_argument, NULL, 'r' },
		{ "threshold", required_argument, NULL, 't' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c, rc = 0;

	*o = (struct options){ .run_dir = RUN_DIR };
	opterr = 0;
	while (rc == 0 && !o->help && (c = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		rc = take(o, c, e);
	return rc != 0 || o->help ? rc : parse_words(argc, argv, o, e);
}

/* What looking at processes in user namespaces of their own takes, their folders being theirs. */
static int drop_privileges(struct err *e)
{
	const uint32_t keep = 1u << CAP_SYS_PTRACE | 1u << CAP_DAC_READ_SEARCH;
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { .effective = keep, .permitted = keep } };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || syscall(SYS_capset, &header, data) != 0)
		return err_set(e, EX_HOST, "root lacks what it takes to look at processes: run it "
			       "as the host's root, not a container's");
	return 0;
}

static int open_folder(const char *root, const char *name, int *fd, struct err *e)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", root == NULL ? "" : root, name);
	*fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *fd >= 0 ? 0 : err_errno(e, EX_HOST, errno, "%s: cannot be opened", path);
}

/* One report, with what it is about; *worst grows. */
static int print(const struct options *o, const struct report *r, const struct audit_object *object,
		 double *worst, struct err *e)
{
	const double exposure = report_exposure(r);

	*worst = exposure > *worst ? exposure : *worst;
	return o->json ? report_json(r, object, stdout, e) : report_text(r, object, stdout, e);
}

static int report_vm(const struct options *o, const struct audit *a, const struct subject *s,
		     double *worst, struct err *e)
{
	const struct audit_object object = { "pavise-vm-audit", "vm", s->name, "its manifest" };
	struct report r = { 0 };
	int rc = audit_vm(a, s, &r, e);

	if (rc == 0)
		rc = print(o, &r, &object, worst, e);
	report_free(&r);
	return rc;
}

static int report_all(const struct options *o, const struct audit *a, double *worst, struct err *e)
{
	const struct audit_object object = { "pavise-vm-audit", "vm", "--all", "all manifests" };
	struct report r = { 0 };
	int rc = 0;

	if (o->json)
		putchar('[');
	for (size_t i = 0; rc == 0 && i < a->count; i++) {
		rc = report_vm(o, a, &a->subject[i], worst, e);
		putchar(o->json ? ',' : '\n');
	}
	if (rc == 0)
		rc = audit_all(a, &r, e);
	if (rc == 0)
		rc = print(o, &r, &object, worst, e);
	if (o->json)
		puts("]");
	report_free(&r);
	return rc;
}

static int run_vm(const struct options *o, struct audit *a, double *worst, struct err *e)
{
	int rc = audit_load(a, o->run_dir, e);

	if (rc == 0 && o->all)
		return report_all(o, a, worst, e);
	for (size_t i = 0; rc == 0 && o->name != NULL && i < a->count; i++)
		if (strcmp(a->subject[i].name, o->name) == 0)
			return report_vm(o, a, &a->subject[i], worst, e);
	return rc != 0 ? rc : err_set(e, EX_BUSY, "%s: no such VM in %s",
					 o->name == NULL ? "" : o->name, o->run_dir);
}

static int run_host(const struct options *o, const struct audit *a, double *worst, struct err *e)
{
	const struct audit_object object = { "pavise-host-audit", "host",
					     o->root == NULL ? "this one" : o->root,
					     "/proc and /sys" };
	struct report r = { 0 };
	int rc = audit_host(a, &r, e);

	if (rc == 0)
		rc = print(o, &r, &object, worst, e);
	report_free(&r);
	return rc;
}

int main(int argc, char **argv)
{
	struct audit a = { .proc = -1, .sys = -1, .dev = -1 };
	struct options o;
	struct err e = { 0 };
	double worst = 0;
	size_t seed;

	/* Or tables of JSON open a device for it, which our domain may not. */
	if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		return EX_HOST;
	json_object_seed(seed);
	int rc = parse(argc, argv, &o, &e);

	if (rc == 0 && o.help)
		return fputs(usage, stdout) < 0 ? EX_HOST : EX_OK;
	a.live = o.root == NULL;
	if (rc == 0 && geteuid() != 0 && !o.host)
		rc = err_set(&e, EX_HOST, "not root: what processes of other users hold is not "
			     "to be seen: run it as root");
	if (rc == 0 && geteuid() == 0)
		rc = drop_privileges(&e);
	if (rc == 0 && (rc = open_folder(o.root, "proc", &a.proc, &e)) == 0 &&
	    (rc = open_folder(o.root, "sys", &a.sys, &e)) == 0 &&
	    (rc = open_folder(o.root, "dev", &a.dev, &e)) == 0)
		rc = o.host ? run_host(&o, &a, &worst, &e) : run_vm(&o, &a, &worst, &e);
	audit_free(&a);
	if (rc < 0)
		return err_report(&e, PROGRAM);
	return worst > o.threshold ? EX_REFUSED : EX_OK;
}
