#include "cli/platform.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* A simulated platform: who makes it, and what of it the process of a VM gets. */
struct simulation {
	const char *program, *key, *certs;
};
static const struct simulation chip = { "pavise-psp-sim", "chip.key", "certs.bin" };
static const struct simulation tdx = { "pavise-tdx-sim", "pck.key", "pck-chain.pem" };

static int init(const struct simulation *s, const char *folder, struct err *e)
{
	char path[PATH_MAX + 32], name[32], state[PATH_MAX];
	char command[] = "init", option[] = "--state";
	char *const argv[] = { name, command, option, state, NULL };
	char *const environment[] = { NULL };
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - 1);
	int status = 0;
	pid_t pid;

	path[n > 0 ? n : 0] = '\0';
	char *slash = strrchr(path, '/');
	if (slash == NULL)
		return err_set(e, EX_HOST, "/proc/self/exe: not readable: mount /proc");
	snprintf(slash, 32, "/%s", s->program);
	snprintf(name, sizeof(name), "%s", s->program);
	snprintf(state, sizeof(state), "%s", folder);
	int rc = posix_spawn(&pid, path, NULL, NULL, argv, environment);
	if (rc != 0)
		return err_errno(e, EX_HOST, rc, "%s: cannot be started", path);
	if (waitpid(pid, &status, 0) != pid || status != 0)
		return err_set(e, EX_HOST, "%s: no simulated platform there: see above", folder);
	return 0;
}

static int open_file(const char *folder, const char *name, int *fd, struct err *e)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%.4000s/%s", folder, name);
	*fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
	return *fd >= 0 ? 0 : err_errno(e, EX_HOST, errno, "%s: cannot be opened", path);
}

static int open_both(const struct simulation *s, const char *folder, int *key, int *certs,
		     struct err *e)
{
	int rc = init(s, folder, e);

	if (rc == 0)
		rc = open_file(folder, s->key, key, e);
	return rc == 0 ? open_file(folder, s->certs, certs, e) : rc;
}

int platform_open_chip(const char *folder, int *key, int *certs, struct err *e)
{
	return open_both(&chip, folder, key, certs, e);
}

int platform_open_tdx(const char *folder, int *key, int *certs, struct err *e)
{
	return open_both(&tdx, folder, key, certs, e);
}
