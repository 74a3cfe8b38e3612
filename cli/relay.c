#include "cli/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t child_pid;

/* Only what a signal handler may do. */
static void pass_on(int number)
{
	int saved = errno;

	if (child_pid > 0)
		kill((pid_t)child_pid, number);
	errno = saved;
}

int relay_add(struct relay *r, int sink, int *end, struct err *e)
{
	int fds[2];

	if (r->count == RELAY_MAX)
		return err_set(e, EX_INTERNAL, "relay: more than %d streams", RELAY_MAX);
	if (pipe2(fds, O_CLOEXEC) != 0)
		return err_errno(e, EX_HOST, errno, "relay: no pipe");
	r->source[r->count] = fds[0];
	r->sink[r->count] = sink;
	r->child_end[r->count++] = fds[1];
	*end = fds[1];
	return 0;
}

static void catch_signals(void)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction a = { .sa_handler = pass_on };

	sigemptyset(&a.sa_mask);
	for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		sigaction(numbers[i], &a, NULL);
}

static void become(struct relay *r, const char *path, char *const argv[], int stderr_end)
{
	for (unsigned i = 0; i < r->count; i++)
		if (fcntl(r->child_end[i], F_SETFD, 0) != 0)
			_exit(EX_HOST);
	if (dup2(stderr_end, STDERR_FILENO) < 0)
		_exit(EX_HOST);
	execv(path, argv);
	dprintf(STDERR_FILENO, "pavise run: %s: cannot be executed\n", path);
	_exit(EX_HOST);
}

/* A sink that fails (a full disk) loses its text; the launcher is never held up by it. */
static void put(int fd, const char *data, size_t size)
{
	while (size > 0) {
		ssize_t n = write(fd, data, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		data += n;
		size -= (size_t)n;
	}
}

static void copy_some(struct relay *r, unsigned i)
{
	char buffer[16384];
	ssize_t n = read(r->source[i], buffer, sizeof(buffer));

	if (n > 0)
		put(r->sink[i], buffer, (size_t)n);
	else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
		close(r->source[i]);
		r->source[i] = -1;
	}
}

static void copy_all(struct relay *r)
{
	struct pollfd p[RELAY_MAX];
	unsigned open_streams;

	do {
		open_streams = 0;
		for (unsigned i = 0; i < r->count; i++) {
			p[i] = (struct pollfd){ .fd = r->source[i], .events = POLLIN };
			open_streams += r->source[i] >= 0;
		}
		if (open_streams > 0 && poll(p, r->count, -1) > 0)
			for (unsigned i = 0; i < r->count; i++)
				if (p[i].revents != 0)
					copy_some(r, i);
	} while (open_streams > 0);
}

int relay_run(struct relay *r, const char *path, char *const argv[], int stderr_end, struct err *e)
{
	int status;

	signal(SIGPIPE, SIG_IGN);
	catch_signals();
	pid_t pid = fork();
	if (pid < 0)
		return err_errno(e, EX_HOST, errno, "%s: cannot start", path);
	if (pid == 0)
		become(r, path, argv, stderr_end);
	child_pid = pid;
	for (unsigned i = 0; i < r->count; i++)
		close(r->child_end[i]);
	copy_all(r);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_errno(e, EX_HOST, errno, "%s: lost", path);
	return WIFEXITED(status) ? WEXITSTATUS(status) : EX_INTERNAL;
}
