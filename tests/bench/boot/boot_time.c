/* boot-time CONSOLE TEXT SECONDS COMMAND...: runs the command, a VMM, and prints the microseconds
 * from its start until the file CONSOLE, which it makes, holds TEXT. Then it waits for its end,
 * within SECONDS. Status 0: both came. The command's output goes to standard error. */
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LOOK_EVERY_NS 10000000 /* of some seconds; looking more often would cost the guest time */
#define CONSOLE_MAX 65536
#define SECONDS_MAX 86400

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Kept open once it is there: the command may remove it at its end. */
static bool console_has(const char *path, const char *text, int *fd)
{
	static char seen[CONSOLE_MAX];

	if (*fd < 0)
		*fd = open(path, O_RDONLY | O_CLOEXEC);
	if (*fd < 0)
		return false;
	ssize_t n = pread(*fd, seen, sizeof(seen), 0);
	return n > 0 && memmem(seen, (size_t)n, text, strlen(text)) != NULL;
}

static int start(char **command, pid_t *child)
{
	posix_spawn_file_actions_t actions;

	return posix_spawn_file_actions_init(&actions) != 0 ||
	       posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO) != 0 ||
	       posix_spawnp(child, command[0], &actions, NULL, command, environ) != 0;
}

/* The status of a command that ended within the time, else -1: it is told to end. */
static int watch(pid_t child, const char *console, const char *text, int64_t begun, int64_t limit)
{
	const struct timespec pause = { .tv_nsec = LOOK_EVERY_NS };
	bool found = false, ended = false;
	int fd = -1, status = -1;

	while (!ended && now_us() - begun < limit) {
		ended = waitpid(child, &status, WNOHANG) == child;
		if (!found && console_has(console, text, &fd)) {
			found = true;
			printf("%lld\n", (long long)(now_us() - begun));
		}
		if (!ended)
			nanosleep(&pause, NULL);
	}
	if (!ended) {
		kill(child, SIGTERM);
		waitpid(child, &status, 0);
		return -1;
	}
	return found ? status : -1;
}

int main(int argc, char **argv)
{
	long seconds = argc < 5 ? 0 : strtol(argv[3], NULL, 10);
	pid_t child;

	if (seconds <= 0 || seconds > SECONDS_MAX) {
		fprintf(stderr, "usage: boot-time CONSOLE TEXT SECONDS COMMAND...\n");
		return 64;
	}
	int64_t begun = now_us();
	if (start(argv + 4, &child) != 0) {
		fprintf(stderr, "boot-time: cannot start %s\n", argv[4]);
		return 70;
	}
	int status = watch(child, argv[1], argv[2], begun, seconds * 1000000);
	if (status == 0)
		return 0;
	fprintf(stderr, "boot-time: %s: no '%s' in %s, or no good end\n", argv[4], argv[2], argv[1]);
	return 1;
}
