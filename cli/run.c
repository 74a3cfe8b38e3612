/* pavise run NAME: opens what the VM is to have, with the rights of whoever calls, and starts
 * pavise-launch, which gets descriptors and no paths. Then it only carries text. */
#include "attest/measure/size.h"
#include "cli/command.h"
#include "cli/platform.h"
#include "common/err.h"
#include "sandbox/options.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char USAGE[] =
	"usage: pavise run NAME --plan FILE [--disk FILE[,readonly]]... [--memory SIZE] [--cpus N]\n"
	"                  [--no-vtpm] [--isolation required|degraded] [--console FILE]\n"
	"                  [--keep-logs DIR] [--run-dir DIR] [--cgroup DIR] [--timings]\n"
	"                  [--tee none|snp|tdx] [--platform kvm|sim] [--sim-state DIR]\n"
	"  with --tee snp: [--host-data HEX] [--id-block FILE --id-auth FILE] [--certs FILE]\n"
	"  with --tee tdx: [--quote unix:PATH|vsock:CID:PORT]\n"
	"                  [--mrconfigid HEX] [--mrowner HEX] [--mrownerconfig HEX]\n\n"
	"SIZE is a number of bytes, or with K, M or G; 512M when not given. At the end of the VM its\n"
	"console is appended to FILE and all its logs to files in DIR.\n"
	"--tee says what the plan must be for. --platform sim runs an SEV-SNP or TDX plan without\n"
	"its hardware: nothing is protected then, and reports and quotes are signed by a key of this\n"
	"host, in DIR (" PLATFORM_STATE " when not given).\n"
	"--id-block is what `pavise measure snp --id-block` wrote, --id-auth its signature: another\n"
	"launch than the one they are for is refused. --certs is the certificate table that the\n"
	"guest gets beside its report.\n"
	"--quote is the host's quote generation service; without it a TDX guest gets no quotes.\n"
	"--timings prints at the end how long each phase took, and its share.\n";

#define MEMORY_DEFAULT "512M"

static int add_disk(struct command *c, char *value, struct err *e)
{
	char *comma = strrchr(value, ',');
	bool readonly = comma != NULL && strcmp(comma, ",readonly") == 0;
	int fd;

	if (c->disks++ == VM_DISK_MAX)
		return err_set(e, EX_USAGE_ERROR, "disks: at most %d", VM_DISK_MAX);
	if (readonly)
		*comma = '\0';
	int rc = command_open(value, readonly ? O_RDONLY : O_RDWR, &fd, e);
	command_add(c, readonly ? "--disk-ro-fd" : "--disk-fd");
	command_add(c, "%d", fd);
	return rc;
}

static int add_log(struct command *c, const char *name, const char *path, struct err *e)
{
	int fd, end = -1, rc = command_open(path, O_WRONLY | O_CREAT | O_APPEND, &fd, e);

	if (rc == 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
		rc = err_errno(e, EX_HOST, errno, "%s", path);
	if (rc == 0)
		rc = relay_add(&c->relay, fd, &end, e);
	command_add(c, "--log");
	command_add(c, "%s:%d", name, end);
	return rc;
}

static int add_logs(struct command *c, struct err *e)
{
	static const char *const always[] = { "console", "vmm", "vtpm", "dev-vsock" };
	const char *const *more = command_tee_logs(c);
	char name[32], path[PATH_MAX];
	int rc = 0;

	if (c->console != NULL)
		rc = add_log(c, "console", c->console, e);
	if (c->logs == NULL || rc != 0)
		return rc;
	if (mkdir(c->logs, 0700) != 0 && errno != EEXIST)
		return err_errno(e, EX_USAGE_ERROR, errno, "%s: cannot be made", c->logs);
	for (unsigned i = 0; rc == 0 && i < 4 + c->disks; i++) {
		if (i < 4)
			snprintf(name, sizeof(name), "%s", always[i]);
		else
			snprintf(name, sizeof(name), "dev-blk%u", i - 4);
		snprintf(path, sizeof(path), "%.4000s/%s.log", c->logs, name);
		/* The console goes to one place; --console wins. */
		if (i > 0 || c->console == NULL)
			rc = add_log(c, name, path, e);
	}
	for (; rc == 0 && *more != NULL; more++) {
		snprintf(path, sizeof(path), "%.4000s/%s.log", c->logs, *more);
		rc = add_log(c, *more, path, e);
	}
	return rc;
}

/* About confidential guests. */
static int take_tee_option(struct command *c, int code, char *value, struct err *e)
{
	switch (code) {
	case 't':
		c->tee = value;
		return 0;
	case 'P':
		c->platform = value;
		return 0;
	case 's':
		c->state = value;
		return 0;
	case 'q':
		c->quote = value;
		return 0;
	case 'H':
		command_pass(c, "host-data", value);
		return 0;
	case 'b':
		return command_file(c, "id-block", value, e);
	case 'a':
		return command_file(c, "id-auth", value, e);
	case 'C':
		return command_file(c, "certs", value, e);
	case '1':
		command_pass(c, "mrconfigid", value);
		return 0;
	case '2':
		command_pass(c, "mrowner", value);
		return 0;
	case '3':
		command_pass(c, "mrownerconfig", value);
		return 0;
	default:
		return err_set(e, EX_USAGE_ERROR, "unknown option or missing value: see --help");
	}
}

static int take_option(struct command *c, int code, char *value, struct err *e)
{
	switch (code) {
	case 'p':
		return command_file(c, "plan", value, e);
	case 'd':
		return add_disk(c, value, e);
	case 'm':
		c->memory = value;
		return 0;
	case 'c':
		c->cpus = value;
		return 0;
	case 'n':
		command_add(c, "--no-vtpm");
		return 0;
	case 'i':
		command_pass(c, "isolation", value);
		return 0;
	case 'T':
		command_add(c, "--timings");
		return 0;
	case 'o':
		c->console = value;
		return 0;
	case 'k':
		c->logs = value;
		return 0;
	case 'r':
		command_pass(c, "run-dir", value);
		return 0;
	case 'g':
		command_pass(c, "cgroup", value);
		return 0;
	case 'h':
		fputs(USAGE, stdout);
		exit(EX_OK);
	default:
		return take_tee_option(c, code, value, e);
	}
}

static int parse(int argc, char **argv, struct command *c, struct err *e)
{
	static const struct option options[] = {
		{ "plan", required_argument, NULL, 'p' },
		{ "disk", required_argument, NULL, 'd' },
		{ "memory", required_argument, NULL, 'm' },
		{ "cpus", required_argument, NULL, 'c' },
		{ "no-vtpm", no_argument, NULL, 'n' },
		{ "isolation", required_argument, NULL, 'i' },
		{ "console", required_argument, NULL, 'o' },
		{ "keep-logs", required_argument, NULL, 'k' },
		{ "run-dir", required_argument, NULL, 'r' },
		{ "cgroup", required_argument, NULL, 'g' },
		{ "tee", required_argument, NULL, 't' },
		{ "platform", required_argument, NULL, 'P' },
		{ "host-data", required_argument, NULL, 'H' },
		{ "id-block", required_argument, NULL, 'b' },
		{ "id-auth", required_argument, NULL, 'a' },
		{ "certs", required_argument, NULL, 'C' },
		{ "mrconfigid", required_argument, NULL, '1' },
		{ "mrowner", required_argument, NULL, '2' },
		{ "mrownerconfig", required_argument, NULL, '3' },
		{ "quote", required_argument, NULL, 'q' },
		{ "sim-state", required_argument, NULL, 's' },
		{ "timings", no_argument, NULL, 'T' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	uint64_t memory = 0;
	int code, rc = 0;

	opterr = 0;
	command_add(c, "pavise-launch");
	while (rc == 0 && (code = getopt_long(argc, argv, "", options, NULL)) != -1)
		rc = take_option(c, code, optarg, e);
	if (rc == 0 && optind != argc - 1)
		rc = err_set(e, EX_USAGE_ERROR, "give one name: see --help");
	if (rc == 0)
		rc = size_parse("memory", c->memory, &memory, e);
	if (rc == 0)
		rc = command_tee(c, e);
	if (rc == 0)
		rc = add_logs(c, e);
	if (rc != 0)
		return rc;
	command_add(c, "--memory");
	command_add(c, "%llu", (unsigned long long)memory);
	command_add(c, "--cpus");
	command_add(c, "%s", c->cpus);
	command_add(c, "--"); /* a name that begins with '-' is the launcher's to judge */
	command_add(c, "%s", argv[optind]);
	if (c->argc + 1 >= COMMAND_ARG_MAX)
		return err_set(e, EX_USAGE_ERROR, "too many arguments");
	c->argv[c->argc] = NULL;
	return 0;
}

/* The launcher stands beside us: the same installation, never one from a search path. */
static int run_launcher(struct command *c, struct err *e)
{
	char path[PATH_MAX + 16];
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - 1);

	path[n > 0 ? n : 0] = '\0';
	char *slash = strrchr(path, '/');
	if (slash == NULL)
		return err_set(e, EX_HOST, "/proc/self/exe: not readable: mount /proc");
	snprintf(slash, sizeof("/pavise-launch"), "/pavise-launch");
	int rc = relay_add(&c->relay, STDERR_FILENO, &c->stderr_end, e);
	return rc != 0 ? rc : relay_run(&c->relay, path, c->argv, c->stderr_end, e);
}

int main(int argc, char **argv)
{
	struct command c = { .memory = MEMORY_DEFAULT, .cpus = "1", .tee = "none",
			     .platform = "kvm", .state = PLATFORM_STATE };
	struct err e = { 0 };

	int rc = parse(argc, argv, &c, &e);

	if (rc == 0)
		rc = run_launcher(&c, &e);
	return rc < 0 ? err_report(&e, "pavise run") : rc;
}
