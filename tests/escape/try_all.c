/* Each attempt in a process of its own: forked by one that is not sealed yet, sealed, tried,
 * gone. A sealed process could not fork, and what one attempt does to itself is not to help the
 * next. */
#include "tests/escape/payload.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE 20 /* seconds for one attempt */
#define SLOW 1000   /* milliseconds, worth a line in the log */

enum state { STATE_STARTED, STATE_SEALED, STATE_STOPPED, STATE_DONE };

/* Shared by runner and child: the child may have nothing left to say it with. */
struct result {
	volatile enum state state;
	volatile int cause;
	char text[200]; /* why it could not be sealed */
};

static const struct class *const classes[] = {
	&class_files,   &class_proc,       &class_processes,  &class_exec,   &class_memory,
	&class_sockets, &class_namespaces, &class_privileges, &class_kernel, &class_devices,
	&class_kvm,     &class_labels,     &class_limits,     &class_passing,
	&class_pcr0,    &class_hog,        &class_others,
};

static void __attribute__((noreturn)) run_one(enum role role, const struct class *c,
					      const struct attempt *a, struct result *r)
{
	struct err e = { 0 };

	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_IGN);
	if (c == &class_kvm)
		kvm_prepare();
	if (seal_as(role, &e) != 0) {
		snprintf(r->text, sizeof(r->text), "%.190s", e.text);
		_exit(EX_INTERNAL);
	}
	r->state = STATE_SEALED;
	errno = 0;
	bool done = a->fn();
	r->cause = errno;
	r->state = done ? STATE_DONE : STATE_STOPPED;
	_exit(0); /* where even this is refused, the C library ends the process with a fault */
}

/* Waits for the child; one that hangs (a connection nobody answers) is ended. */
static int await(pid_t child)
{
	const struct timespec patience = { .tv_sec = PATIENCE };
	sigset_t ended;
	int status = 0;

	sigemptyset(&ended);
	sigaddset(&ended, SIGCHLD);
	for (;;) {
		if (waitpid(child, &status, WNOHANG) == child)
			return status;
		if (sigtimedwait(&ended, NULL, &patience) < 0 && errno == EAGAIN)
			kill(child, SIGKILL);
	}
}

/* Also what an attempt left behind: as the first of its namespace the runner gets them all. */
static void reap_others(void)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		continue;
}

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void say(enum role role, const struct class *c, const struct attempt *a,
		const struct result *r, int status)
{
	static const char *const role_names[ROLES] = { "vmm", "vcpu", "blk", "vsock",
						       "quote", "vtpm", "launcher", "root" };
	char line[400];
	const bool done = r->state == STATE_DONE ||
			  (WIFEXITED(status) && WEXITSTATUS(status) == EXECUTED);
	const char *state = done ? "done" : r->state == STATE_STARTED ? "unsealed" : "stopped";
	const char *why = done ? "" : r->cause != 0 ? strerrordesc_np(r->cause) :
			  r->state == STATE_STARTED ? r->text : "ended";

	/* One write a line; not stdio, whose buffer each child would inherit. */
	int n = snprintf(line, sizeof(line), "escape %s %s %s %s %s\n", role_names[role], c->name,
			 a->id, state, why == NULL ? "" : why);
	(void)!write(STDOUT_FILENO, line, (size_t)n);
}

void try_all(enum role role)
{
	struct result *r = mmap(NULL, sizeof(*r), PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	const bool alone = target_number("ALONE") == 1;
	sigset_t ended;

	if (r == MAP_FAILED)
		return;
	sigemptyset(&ended);
	sigaddset(&ended, SIGCHLD);
	sigprocmask(SIG_BLOCK, &ended, NULL);
	for (size_t c = 0; c < sizeof(classes) / sizeof(classes[0]); c++) {
		for (size_t i = 0; i < classes[c]->count; i++) {
			const struct attempt *a = &classes[c]->attempts[i];
			if ((a->roles & BIT(role)) == 0 ||
			    classes[c]->alone != alone)
				continue;
			memset(r, 0, sizeof(*r));
			const long began = now_ms();
			pid_t child = fork();
			if (child == 0)
				run_one(role, classes[c], a, r);
			int status = child < 0 ? 0 : await(child);
			say(role, classes[c], a, r, status);
			if (now_ms() - began > SLOW)
				dprintf(STDOUT_FILENO, "slow %s %ld ms\n", a->id, now_ms() - began);
			reap_others();
		}
	}
	munmap(r, sizeof(*r));
	dprintf(STDOUT_FILENO, "escape end\n");
}
