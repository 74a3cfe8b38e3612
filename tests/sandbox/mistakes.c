#include "tests/sandbox/mistakes.h"

#include "common/seal.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *const mistakes[] = { "nofilter", "lone", "wx", "mapped", "pipe", "copies",
					"forked", "dumpable", "named" };

bool is_mistake(const char *does)
{
	for (size_t i = 0; i < COUNT(mistakes); i++)
		if (strcmp(mistakes[i], does) == 0)
			return true;
	return false;
}

static void say(const char *what, bool done)
{
	printf("%s: %s\n", what, done ? "done" : strerror(errno));
	fflush(stdout);
}

static void *idle(void *name)
{
	if (name != NULL)
		prctl(PR_SET_NAME, name, 0, 0, 0);
	for (;;)
		pause();
	return NULL;
}

static bool start_thread(const char *name)
{
	pthread_t thread;

	errno = pthread_create(&thread, NULL, idle, (void *)(uintptr_t)name);
	return errno == 0;
}

/* The file open at KEY=NUMBER. */
static void map_to_execute(char **argv, const char *key)
{
	for (int i = 0; argv[i] != NULL; i++)
		if (strncmp(argv[i], key, strlen(key)) == 0)
			say("mapped", mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE,
					   (int)strtol(argv[i] + strlen(key), NULL, 10),
					   0) != MAP_FAILED);
}

/* It allows all: what a filter holds back, tests of the real ones show. */
static int filter(bool all_threads, struct err *e)
{
	static const struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);

	for (int i = 0; i < SEAL_FILTERS; i++) {
		int rc = seal_seccomp(&allow, 1, all_threads, e);
		if (rc != 0)
			return rc;
	}
	return 0;
}

void mistake_before_seal(char **argv, const char *does)
{
	struct err e = { 0 };
	int rc = 0;

	if (strcmp(does, "wx") == 0)
		say("wx", mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
	if (strcmp(does, "mapped") == 0)
		map_to_execute(argv, "plan=");
	if (strcmp(does, "lone") == 0)
		say("lone", start_thread(NULL));
	rc = seal_process(&e);
	if (rc == 0 && strcmp(does, "nofilter") != 0)
		rc = filter(strcmp(does, "lone") != 0, &e);
	if (rc != 0) {
		printf("cannot be sealed: %s\n", e.text);
		exit(EX_INTERNAL);
	}
}

void mistake_when_running(const char *does)
{
	static const char *const names[] = { "x\nSeccomp:\t0\n", ") Z 1 1 1", "a\\n b" };
	int end[2];

	if (strcmp(does, "pipe") == 0)
		say("pipe", pipe(end) == 0);
	for (int i = 0; i < 40 && strcmp(does, "copies") == 0; i++)
		say("copies", eventfd(0, EFD_CLOEXEC) >= 0);
	if (strcmp(does, "forked") == 0) {
		pid_t child = fork();
		if (child == 0)
			idle(NULL);
		say("forked", child > 0);
	}
	if (strcmp(does, "dumpable") == 0)
		say("dumpable", prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0);
	for (size_t i = 0; i < COUNT(names) && strcmp(does, "named") == 0; i++)
		say("named", start_thread(names[i]));
}
