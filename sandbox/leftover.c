#include "sandbox/leftover.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <selinux/selinux.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MS 5000
#define LOOK_MS 50

static bool read_text(int proc, pid_t pid, const char *file, char *out, size_t size)
{
	char path[48];

	snprintf(path, sizeof(path), "%d/%s", (int)pid, file);
	int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, out, size - 1);
	if (fd >= 0)
		close(fd);
	out[n > 0 ? n : 0] = '\0';
	return n > 0;
}

/* The value of a line of /proc/PID/status. The first line, the program's name, holds no newline
 * (proc(5)), so it cannot look like another one. */
static unsigned long value(const char *status, const char *key)
{
	const char *line = strstr(status, key);

	return line == NULL ? 0 : strtoul(line + strlen(key), NULL, 10);
}

/* A launcher's own children are its business: tables of two run directories may hold one pair. */
static bool is_leftover(int proc, pid_t pid, const struct mcs_pair *pair)
{
	char status[2048], parent[32];
	unsigned long first = MCS_UID_BASE + (unsigned long)mcs_index(pair) * MCS_UIDS;

	if (!read_text(proc, pid, "status", status, sizeof(status)) ||
	    strstr(status, "\nState:\tZ") != NULL || strstr(status, "\nState:\tX") != NULL)
		return false;
	unsigned long uid = value(status, "\nUid:\t");
	if (uid < first || uid >= first + MCS_UIDS)
		return false;
	return !read_text(proc, (pid_t)value(status, "\nPPid:\t"), "comm", parent,
			  sizeof(parent)) ||
	       strcmp(parent, "pavise-launch\n") != 0;
}

/* The descriptor first: what is looked at then is what is killed, or gone. */
static bool kill_leftover(int proc, pid_t pid, const struct mcs_pair *pair)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	bool found = fd >= 0 && is_leftover(proc, pid, pair);

	if (found)
		syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0);
	if (fd >= 0)
		close(fd);
	return found;
}

static int kill_all(const struct mcs_pair *pair)
{
	DIR *d = opendir("/proc");
	struct dirent *entry;
	int found = 0;

	while (d != NULL && (entry = readdir(d)) != NULL) {
		long pid = strtol(entry->d_name, NULL, 10);
		if (pid > 0 && kill_leftover(dirfd(d), (pid_t)pid, pair))
			found++;
	}
	if (d != NULL)
		closedir(d);
	return found;
}

int leftover_end(const struct mcs_pair *pair, struct err *e)
{
	const struct timespec pause = { .tv_nsec = LOOK_MS * 1000000L };

	if (is_selinux_enabled() == 1)
		return 0;
	int first = kill_all(pair), left = first;
	for (int ms = 0; left > 0 && ms < WAIT_MS; ms += LOOK_MS) {
		nanosleep(&pause, NULL);
		left = kill_all(pair);
	}
	if (left > 0)
		return err_set(e, EX_HOST, "%d of its processes do not die: see the kernel's log",
			       left);
	return first;
}
