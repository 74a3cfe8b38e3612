/* pavise run NAME: opens what the VM is to have, with the rights of whoever calls, and starts
 * pavise-launch, which gets descriptors and no paths. Then it only carries text. */
#include "attest/measure/size.h"
#include "cli/platform.h"
#include "cli/relay.h"
#include "common/err.h"
#include "sandbox/options.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char USAGE[] =
	"usage: pavise run NAME --plan FILE [--disk FILE[,readonly]]... [--memory SIZE] [--cpus N]\n"
	"                  [--no-vtpm] [--isolation required|degraded] [--console FILE]\n"
	"                  [--tee none|snp] [--platform kvm|sim] [--host-data HEX]\n"
	"                  [--id-block FILE --id-auth FILE]\n"
	"                  [--sim-state DIR]\n"
	"                  [--keep-logs DIR] [--run-dir DIR]\n\n"
	"SIZE is a number of bytes, or with K, M or G; 512M when not given. At the end of the VM its\n"
	"console is appended to FILE and all its logs to files in DIR.\n"
	"--id-block is what `pavise measure snp --id-block` wrote, --id-auth its signature: another\n"
	"launch than the one they are for is refused.\n"
	"--tee says what the plan must be for. --platform sim runs an SEV-SNP plan without its\n"
	"hardware: nothing is protected then, and reports are signed by a key of this host, in DIR\n"
	"(" PLATFORM_STATE " when not given).\n";

#define ARG_MAX_COUNT 96
#define MEMORY_DEFAULT "512M"

/* The launcher's arguments. */
struct command {
	char *argv[ARG_MAX_COUNT];
	unsigned argc;
	unsigned disks;
	const char *logs, *console, *memory, *cpus;
	const char *platform, *state; /* of the simulated chip */
	struct relay relay;
	int stderr_end;
};

static void __attribute__((format(printf, 2, 3))) add(struct command *c, const char *fmt, ...)
{
	char text[PATH_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (c->argc + 1 < ARG_MAX_COUNT)
		c->argv[c->argc++] = strdup(text); /* lives until exec */
}

/* A regular file as the caller may open it. Not through a link in the last place: in a folder
 * others may write to it could lead anywhere. O_NONBLOCK: a FIFO must not hold us up. */
static int open_regular(const char *path, int flags, int *fd, struct err *e)
{
	struct stat st;

	*fd = open(path, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
	if (*fd < 0 && errno == ELOOP)
		return err_set(e, EX_USAGE_ERROR, "%s: a symbolic link: name the file itself", path);
	if (*fd < 0)
		return err_errno(e, EX_USAGE_ERROR, errno, "%s: cannot be opened", path);
	if (fstat(*fd, &st) != 0 || !S_ISREG(st.st_mode))
		return err_set(e, EX_USAGE_ERROR, "%s: not a regular file: name one", path);
	/* Passed on: O_CLOEXEC was for the time in between. */
	if (fcntl(*fd, F_SETFL, flags & O_APPEND) != 0 || fcntl(*fd, F_SETFD, 0) != 0)
		return err_errno(e, EX_HOST, errno, "%s", path);
	return 0;
}

/* A file that the launcher reads. */
static int add_file(struct command *c, const char *option, const char *path, struct err *e)
{
	int fd, rc = open_regular(path, O_RDONLY, &fd, e);

	add(c, "--%s-fd", option);
	add(c, "%d", fd);
	return rc;
}

static int add_disk(struct command *c, char *value, struct err *e)
{
	char *comma = strrchr(value, ',');
	bool readonly = comma != NULL && strcmp(comma, ",readonly") == 0;
	int fd;

	if (c->disks++ == VM_DISK_MAX)
		return err_set(e, EX_USAGE_ERROR, "disks: at most %d", VM_DISK_MAX);
	if (readonly)
		*comma = '\0';
	int rc = open_regular(value, readonly ? O_RDONLY : O_RDWR, &fd, e);
	add(c, readonly ? "--disk-ro-fd" : "--disk-fd");
	add(c, "%d", fd);
	return rc;
}

static int add_log(struct command *c, const char *name, const char *path, struct err *e)
{
	int fd, end = -1, rc = open_regular(path, O_WRONLY | O_CREAT | O_APPEND, &fd, e);

	if (rc == 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
		rc = err_errno(e, EX_HOST, errno, "%s", path);
	if (rc == 0)
		rc = relay_add(&c->relay, fd, &end, e);
	add(c, "--log");
	add(c, "%s:%d", name, end);
	return rc;
}

static int add_logs(struct command *c, struct err *e)
{
	static const char *const always[] = { "console", "vmm", "vtpm", "dev-vsock" };
	const bool simulated = strcmp(c->platform, "sim") == 0;
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
	snprintf(path, sizeof(path), "%.4000s/psp.log", c->logs);
	return rc == 0 && simulated ? add_log(c, "psp", path, e) : rc;
}

/* The chip's files, for the launcher. */
static int add_platform(struct command *c, struct err *e)
{
	int key, certs;

	add(c, "--platform");
	add(c, "%s", c->platform);
	if (strcmp(c->platform, "sim") != 0)
		return 0;
	int rc = platform_open_chip(c->state, &key, &certs, e);
	if (rc != 0)
		return rc;
	add(c, "--psp-key-fd");
	add(c, "%d", key);
	add(c, "--psp-certs-fd");
	add(c, "%d", certs);
	return 0;
}

/* Options that go to the launcher as they are. */
static void pass_on(struct command *c, const char *option, const char *value)
{
	add(c, "--%s", option);
	add(c, "%s", value);
}

static int take_option(struct command *c, int code, char *value, struct err *e)
{
	switch (code) {
	case 'p':
		return add_file(c, "plan", value, e);
	case 'b':
		return add_file(c, "id-block", value, e);
	case 'a':
		return add_file(c, "id-auth", value, e);
	case 'd':
		return add_disk(c, value, e);
	case 'm':
		c->memory = value;
		return 0;
	case 'c':
		c->cpus = value;
		return 0;
	case 'n':
		add(c, "--no-vtpm");
		return 0;
	case 'i':
		pass_on(c, "isolation", value);
		return 0;
	case 't':
		pass_on(c, "tee", value);
		return 0;
	case 'H':
		pass_on(c, "host-data", value);
		return 0;
	case 'P':
		c->platform = value;
		return 0;
	case 's':
		c->state = value;
		return 0;
	case 'o':
		c->console = value;
		return 0;
	case 'k':
		c->logs = value;
		return 0;
	case 'r':
		pass_on(c, "run-dir", value);
		return 0;
	case 'h':
		fputs(USAGE, stdout);
		exit(EX_OK);
	default:
		return err_set(e, EX_USAGE_ERROR, "unknown option or missing value: see --help");
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
		{ "tee", required_argument, NULL, 't' },
		{ "platform", required_argument, NULL, 'P' },
		{ "host-data", required_argument, NULL, 'H' },
		{ "id-block", required_argument, NULL, 'b' },
		{ "id-auth", required_argument, NULL, 'a' },
		{ "sim-state", required_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	uint64_t memory = 0;
	int code, rc = 0;

	opterr = 0;
	add(c, "pavise-launch");
	while (rc == 0 && (code = getopt_long(argc, argv, "", options, NULL)) != -1)
		rc = take_option(c, code, optarg, e);
	if (rc == 0 && optind != argc - 1)
		rc = err_set(e, EX_USAGE_ERROR, "give one name: see --help");
	if (rc == 0)
		rc = size_parse("memory", c->memory, &memory, e);
	if (rc == 0)
		rc = add_platform(c, e);
	if (rc == 0)
		rc = add_logs(c, e);
	if (rc != 0)
		return rc;
	add(c, "--memory");
	add(c, "%llu", (unsigned long long)memory);
	add(c, "--cpus");
	add(c, "%s", c->cpus);
	add(c, "--"); /* a name that begins with '-' is the launcher's to judge */
	add(c, "%s", argv[optind]);
	if (c->argc + 1 >= ARG_MAX_COUNT)
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
	struct command c = { .memory = MEMORY_DEFAULT, .cpus = "1", .platform = "kvm",
			     .state = PLATFORM_STATE };
	struct err e = { 0 };

	int rc = parse(argc, argv, &c, &e);

	if (rc == 0)
		rc = run_launcher(&c, &e);
	return rc < 0 ? err_report(&e, "pavise run") : rc;
}
