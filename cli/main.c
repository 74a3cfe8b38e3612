/* pavise: the dispatcher. `pavise VERB ...` runs the program pavise-VERB that stands beside it
 * (build tree) or in ../libexec/pavise (installed), and is nothing more than that. */
#include "common/err.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifndef PAVISE_VERSION
#error "PAVISE_VERSION comes from the Makefile"
#endif

static const struct verb {
	const char *name, *summary;
} verbs[] = {
	{ "measure", "make a launch plan and print the measurements to expect" },
	{ "image", "make a workload's disk, initrd and keys" },
	{ "run", "launch a virtual machine from a plan and wait for its end" },
	{ "attest", "fetch evidence from a running guest" },
	{ "attestd", "serve the evidence of running guests over TLS" },
	{ "verify", "judge evidence against a policy, offline" },
	{ "collateral", "pack, check and list what vendors publish about their platforms" },
	{ "policy", "check or explain an appraisal policy" },
	{ "eventlog", "show a measured-boot event log and what it replays to" },
	{ "audit", "ask a policy, a running VM or this host what isolation is worth there" },
	{ "sandbox", "say what each sealed process may still ask the kernel for, and why" },
	{ "doctor", "say what this host lacks for each kind of guest, and how to fix it" },
	{ "ls", "list the virtual machines of this host, and what their isolation lacks" },
	{ "inspect", "show what is known of a running virtual machine" },
	{ "stop", "end a running virtual machine in order" },
};

static int usage(FILE *to, int status)
{
	fputs("usage: pavise VERB [ARGUMENT ...]\n"
	      "       pavise VERB --help\n"
	      "       pavise --version\n\n"
	      "verbs:\n",
	      to);
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		fprintf(to, "  %-10s %s\n", verbs[i].name, verbs[i].summary);
	return status;
}

static int known(const char *name)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(verbs[i].name, name) == 0)
			return 1;
	return 0;
}

/* Of audit two: what reads policies parses them, what looks at processes has a right for that. */
static const char *program_of(char **argv)
{
	if (strcmp(argv[1], "audit") == 0 && argv[2] != NULL &&
	    (strcmp(argv[2], "vm") == 0 || strcmp(argv[2], "host") == 0))
		return "audit-live";
	return argv[1];
}

/* The folder this very file lies in, never one from the environment. */
static int own_folder(char *out, size_t size, struct err *e)
{
	ssize_t n = readlink("/proc/self/exe", out, size - 1);

	if (n < 0)
		return err_errno(e, EX_HOST, errno, "/proc/self/exe: cannot read: mount /proc");
	out[n] = '\0';
	char *slash = strrchr(out, '/');
	if (slash == NULL || (size_t)n == size - 1)
		return err_set(e, EX_HOST, "/proc/self/exe: unusable path");
	*slash = '\0';
	return 0;
}

static int dispatch(const char *verb, char **argv, struct err *e)
{
	static const char *const places[] = { "", "/../libexec/pavise" };
	char folder[PATH_MAX], path[PATH_MAX + 64];
	int status = own_folder(folder, sizeof(folder), e);

	if (status < 0)
		return status;
	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s%s/pavise-%s", folder, places[i], verb);
		execv(path, argv);
		if (errno != ENOENT)
			return err_errno(e, EX_HOST, errno, "%s: cannot run", path);
	}
	return err_set(e, EX_HOST,
		       "pavise-%s: not installed beside pavise nor in ../libexec/pavise: install "
		       "the whole package",
		       verb);
}

int main(int argc, char **argv)
{
	struct err e = { 0 };

	if (argc < 2)
		return usage(stderr, EX_USAGE_ERROR);
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		return usage(stdout, EX_OK);
	if (strcmp(argv[1], "--version") == 0)
		return printf("pavise %s\n", PAVISE_VERSION) < 0 ? EX_HOST : EX_OK;
	if (!known(argv[1])) {
		(void)err_set(&e, EX_USAGE_ERROR, "%s: unknown verb: see pavise --help", argv[1]);
		return err_report(&e, "pavise");
	}
	(void)dispatch(program_of(argv), argv + 1, &e);
	return err_report(&e, "pavise");
}
