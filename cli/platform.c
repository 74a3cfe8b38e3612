#include "cli/platform.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM "/pavise-psp-sim"

static int init_chip(const char *folder, struct err *e)
{
	char path[PATH_MAX + sizeof(PROGRAM)];
	char arg[3][8] = { "psp-sim", "init", "--state" }, state[PATH_MAX];
	char *const argv[] = { arg[0], arg[1], arg[2], state, NULL };
	char *const environment[] = { NULL };
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - 1);
	int status = 0;
	pid_t pid;

	path[n > 0 ? n : 0] = '\0';
	char *slash = strrchr(path, '/');
	if (slash == NULL)
		return err_set(e, EX_HOST, "/proc/self/exe: not readable: mount /proc");
	memcpy(slash, PROGRAM, sizeof(PROGRAM));
	snprintf(state, sizeof(state), "%s", folder);
	int rc = posix_spawn(&pid, path, NULL, NULL, argv, environment);
	if (rc != 0)
		return err_errno(e, EX_HOST, rc, "%s: cannot be started", path);
	if (waitpid(pid, &status, 0) != pid || status != 0)
		return err_set(e, EX_HOST, "%s: no simulated chip there: see above", folder);
	return 0;
}

static int open_file(const char *folder, const char *name, int *fd, struct err *e)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%.4000s/%s", folder, name);
	*fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
	return *fd >= 0 ? 0 : err_errno(e, EX_HOST, errno, "%s: cannot be opened", path);
}

int platform_open_chip(const char *folder, int *key, int *certs, struct err *e)
{
	int rc = init_chip(folder, e);

	if (rc == 0)
		rc = open_file(folder, "chip.key", key, e);
	return rc == 0 ? open_file(folder, "certs.bin", certs, e) : rc;
}
