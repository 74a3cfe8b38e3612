#include "cli/doctor/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define VERSION_MS 5000 /* for each read */

/* The process id, or a negative errno. */
static pid_t start(const char *path, int out)
{
	static char name[] = "program", option[] = "--version";
	char *const argv[] = { name, option, NULL }, *const environment[] = { NULL };
	posix_spawn_file_actions_t actions;
	pid_t pid = 0;
	int rc = posix_spawn_file_actions_init(&actions);

	if (rc != 0)
		return -rc;
	rc = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(&actions, out, 1);
	if (rc == 0)
		rc = posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	if (rc == 0)
		rc = posix_spawn(&pid, path, &actions, NULL, argv, environment);
	posix_spawn_file_actions_destroy(&actions);
	return rc == 0 ? pid : -rc;
}

/* Up to the first line's end, the program's end, a full buffer or a long silence. */
static size_t read_line(int fd, char *out, size_t size)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	size_t done = 0;

	out[0] = '\0';
	while (done < size - 1 && strchr(out, '\n') == NULL && poll(&p, 1, VERSION_MS) == 1) {
		ssize_t n = read(fd, out + done, size - 1 - done);

		if (n <= 0)
			break;
		done += (size_t)n;
		out[done] = '\0';
	}
	done = strcspn(out, "\n");
	out[done] = '\0';
	return done;
}

int doctor_program_version(const char *path, char *out, size_t size)
{
	int ends[2], status;
	size_t length;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return -errno;
	pid = start(path, ends[1]);
	close(ends[1]);
	if (pid <= 0) { /* kill(2) takes 0 and less for many processes */
		close(ends[0]);
		return pid < 0 ? pid : -ECHILD;
	}
	length = read_line(ends[0], out, size);
	close(ends[0]);
	/* What it has to say was said: a program that hangs must not hold us up. */
	kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return length > 0 ? (int)length : -ENOEXEC;
}
