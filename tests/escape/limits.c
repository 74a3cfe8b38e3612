/* More of the host than was given. Done means that all of it was held at once. */
#include "sandbox/order.h"
#include "tests/escape/attempt.h"

#include <errno.h>
#include <mqueue.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILDREN 64                /* more than any role's threads */
#define DESCRIPTORS 1500ul         /* more than any role's */
#define MEMORY ((size_t)256 << 20) /* more than any process's of a VM of 64 MiB */
#define LOCKED ((size_t)1 << 20)

static bool processes(void)
{
	pid_t child[CHILDREN];
	int count = 0, cause = 0;

	while (count < CHILDREN && (child[count] = fork()) >= 0) {
		if (child[count] == 0)
			for (;;)
				pause();
		count++;
	}
	cause = errno;
	for (int i = 0; i < count; i++) {
		kill(child[i], SIGKILL);
		waitpid(child[i], NULL, 0);
	}
	return count == CHILDREN || stopped(cause);
}

static bool memory(void)
{
	void *p = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	return p != MAP_FAILED;
}

/* The host's disk, by way of a log that the guest can write to. */
static bool console_log(void)
{
	static char block[65536];
	int fd = own_descriptor("console");
	size_t done = 0;
	ssize_t n = 0;

	memset(block, 'x', sizeof(block));
	while (done <= ORDER_LOG_LIMIT + sizeof(block) && (n = write(fd, block, sizeof(block))) > 0)
		done += (size_t)n;
	return done > ORDER_LOG_LIMIT + sizeof(block);
}

static bool descriptors(void)
{
	const struct rlimit many = { 2 * DESCRIPTORS, 2 * DESCRIPTORS };
	unsigned count = 0;

	(void)setrlimit(RLIMIT_NOFILE, &many);
	while (count < DESCRIPTORS && dup(1) >= 0)
		count++;
	return count == DESCRIPTORS;
}

static bool locked_memory(void)
{
	static char data[LOCKED];

	return mlock(data, sizeof(data)) == 0;
}

static bool realtime(void)
{
	const struct sched_param p = { .sched_priority = 1 };

	return sched_setscheduler(0, SCHED_FIFO, &p) == 0;
}

static bool before_others(void)
{
	return setpriority(PRIO_PROCESS, 0, -10) == 0;
}

static bool message_queue(void)
{
	long fd = syscall(SYS_mq_open, "escape", 0102 /* O_RDWR | O_CREAT */, 0600, NULL);

	if (fd >= 0)
		syscall(SYS_mq_unlink, "escape");
	return fd >= 0;
}

static bool raise_limit(void)
{
	const struct rlimit none = { RLIM_INFINITY, RLIM_INFINITY };

	return setrlimit(RLIMIT_MEMLOCK, &none) == 0;
}

static const struct attempt attempts[] = {
	{ "fork-bomb", "64 processes", VM_ROLES, processes },
	{ "log-flood", "a console log beyond its limit", KVM_ROLES, console_log },
	{ "descriptor-hog", "1500 descriptors", VM_ROLES, descriptors },
	{ "locked-memory", "1 MiB of memory that is never paged", VM_ROLES, locked_memory },
	{ "realtime", "runs before everything else", VM_ROLES, realtime },
	{ "nice", "a better priority", VM_ROLES, before_others },
	{ "message-queue", "a POSIX message queue", VM_ROLES, message_queue },
	{ "limit-raise", "raises a limit", VM_ROLES, raise_limit },
};

const struct class class_limits = CLASS("limits", attempts);

/* Whoever wants more than its cgroup gives dies, and the VM with it. */
static const struct attempt hog[] = {
	{ "memory-hog", "256 MiB of memory", BIT(ROLE_VSOCK), memory },
};

const struct class class_hog = { "limits", hog, 1, true };
