/* sandbox/proc_state.c: what the kernel says of a process, whatever its threads are called. */
#include "sandbox/proc_state.h"
#include "sandbox/procid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const char whole[] =
	"Name:\tpavise-vmm\nUmask:\t0077\nState:\tS (sleeping)\nTgid:\t71\nNgid:\t0\nPid:\t72\n"
	"PPid:\t70\nTracerPid:\t0\nUid:\t1879048192\t1879048193\t3\t4\nGid:\t5\t6\t7\t8\n"
	"FDSize:\t64\nGroups:\t10 20 \nNStgid:\t71\t1\nThreads:\t3\nSigQ:\t0/64\n"
	"CapInh:\t0000000000000001\nCapPrm:\t0000000000000002\nCapEff:\t000001fffeffffff\n"
	"CapBnd:\t0000000000000004\nCapAmb:\tffffffffffffffff\nNoNewPrivs:\t1\nSeccomp:\t2\n"
	"Seccomp_filters:\t1\nSpeculation_Store_Bypass:\tvulnerable\nCpus_allowed:\t3\n";

static int parse(const char *text, struct proc_status *s)
{
	struct err e = { 0 };
	int rc = proc_status_parse(text, strlen(text), s, &e);

	assert_int_equal(rc, -e.status);
	return rc;
}

static void every_field(void **state)
{
	struct proc_status s;

	(void)state;
	assert_int_equal(parse(whole, &s), 0);
	assert_int_equal(s.tgid, 71);
	assert_int_equal(s.pid, 72);
	assert_int_equal(s.tracer, 0);
	assert_int_equal(s.uid[0], 1879048192u);
	assert_int_equal(s.uid[1], 1879048193u);
	assert_int_equal(s.uid[3], 4);
	assert_int_equal(s.gid[0], 5);
	assert_int_equal(s.gid[3], 8);
	assert_int_equal(s.groups, 2);
	assert_int_equal(s.threads, 3);
	assert_int_equal(s.inheritable, 1);
	assert_int_equal(s.permitted, 2);
	assert_int_equal(s.effective, 0x1fffeffffff);
	assert_int_equal(s.bounding, 4);
	assert_int_equal(s.ambient, UINT64_MAX);
	assert_int_equal(s.no_new_privs, 1);
	assert_int_equal(s.seccomp, 2);
	assert_int_equal(s.seccomp_filters, 1);
}

/* The text with one part of it replaced. */
static char *replaced(const char *from, const char *to)
{
	const char *at = strstr(whole, from);
	char *out = NULL;

	assert_non_null(at);
	assert_true(asprintf(&out, "%.*s%s%s", (int)(at - whole), whole, to, at + strlen(from)) >
		    0);
	return out;
}

/* Were a kernel to print a name as it is, its lines would be there twice, or out of order. */
static void lines_of_a_name_are_refused(void **state)
{
	static const char *const names[] = {
		"Name:\tx\nSeccomp:\t2\n",
		"Name:\tx\nSeccomp_filters:\t9\n",
		"Name:\tx\nName:\ty\n",
		"Name:\tx\nUid:\t0\t0\t0\t0\n",
		"Name:\tx\nCapEff:\t0000000000000000\n",
		"Name:\tx\nTgid:\t1\nPid:\t1\n",
		"Nam:\tx\n",
		"\n",
		"",
	};
	struct proc_status s;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *text = replaced("Name:\tpavise-vmm\n", names[i]);
		assert_int_equal(parse(text, &s), -EX_MALFORMED);
		free(text);
	}
	/* What stands within a line is of no account. */
	char *text = replaced("pavise-vmm", "Seccomp:\t0 Uid:\t0 ) \\nSeccomp:\t0");
	assert_int_equal(parse(text, &s), 0);
	assert_int_equal(s.seccomp, 2);
	free(text);
}

static void other_forms_are_refused(void **state)
{
	static const char *const forms[][2] = {
		{ "Seccomp:\t2\n", "" },
		{ "Seccomp:\t2\n", "Seccomp:\t\n" },
		{ "Seccomp:\t2\n", "Seccomp:\t-1\n" },
		{ "Seccomp:\t2\n", "Seccomp:\t2 \n" },
		{ "Seccomp:\t2\n", "Seccomp:\t4294967296\n" },
		{ "Seccomp:\t2\n", "Seccomp:\t99999999999999999999\n" },
		{ "\t0000000000000001\n", "\t000000000000001\n" },
		{ "\t0000000000000001\n", "\t00000000000000001\n" },
		{ "\t0000000000000001\n", "\t000000000000000G\n" },
		{ "\t000001fffeffffff\n", "\t000001FFFEFFFFFF\n" },
		{ "Gid:\t5\t6\t7\t8\n", "Gid:\t5\t6\t7\n" },
		{ "Gid:\t5\t6\t7\t8\n", "Gid:\t5\t6\t7\t8\t9\n" },
		{ "Gid:\t5\t6\t7\t8\n", "Gid:\t5 6 7 8\n" },
		{ "Groups:\t10 20 \n", "Groups:\t10 x\n" },
		{ "Cpus_allowed:\t3\n", "Cpus_allowed:\t3" },
	};
	struct proc_status s;

	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		char *text = replaced(forms[i][0], forms[i][1]);
		assert_int_equal(parse(text, &s), -EX_MALFORMED);
		free(text);
	}
	for (size_t n = 0; n < (size_t)(strstr(whole, "Speculation") - whole); n++) {
		struct err e = { 0 };
		char *part = strndup(whole, n);
		assert_int_equal(proc_status_parse(part, n, &s, &e), -EX_MALFORMED);
		free(part);
	}
}

/* ---- this process, with threads that are called what they should not be ---------------------- */

static const char *const bad_names[] = {
	"x\nSeccomp:\t2\n", ") Z 1 1 1 1 1", "a) R 0 0 0", "\\n\\", "\n\n\n", "\x01\xff\x7f", "",
};
#define BAD (sizeof(bad_names) / sizeof(bad_names[0]))

static pthread_barrier_t named, done;

static void *called(void *name)
{
	prctl(PR_SET_NAME, name, 0, 0, 0);
	pthread_barrier_wait(&named);
	pthread_barrier_wait(&done);
	return NULL;
}

struct seen {
	unsigned count;
	pid_t tid[BAD + 2];
};

static int look(void *context, int task, pid_t tid, struct err *e)
{
	char text[PROC_STATUS_MAX];
	struct proc_status s;
	struct seen *seen = context;
	ssize_t n = proc_read(task, "status", text, sizeof(text));

	assert_true(n > 0);
	assert_int_equal(proc_status_parse(text, (size_t)n, &s, e), 0);
	assert_int_equal(s.tgid, getpid());
	assert_int_equal(s.pid, tid);
	assert_int_equal(s.uid[0], getuid());
	assert_int_equal(s.threads, BAD + 1);
	assert_true(seen->count < BAD + 2);
	seen->tid[seen->count++] = tid;
	return 0;
}

static int open_self(struct err *e)
{
	int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	uint64_t start = 0;

	assert_true(proc >= 0 && procid_start(getpid(), &start));
	int fd = proc_open(proc, getpid(), start, e);
	close(proc);
	return fd;
}

static void threads_with_hostile_names(void **state)
{
	pthread_t thread[BAD];
	struct err e = { 0 };
	struct seen seen = { 0 };

	(void)state;
	pthread_barrier_init(&named, NULL, BAD + 1);
	pthread_barrier_init(&done, NULL, BAD + 1);
	for (size_t i = 0; i < BAD; i++)
		assert_int_equal(
			pthread_create(&thread[i], NULL, called, (void *)(uintptr_t)bad_names[i]),
			0);
	pthread_barrier_wait(&named);
	/* The stat file of a process bears the name of its first thread. */
	prctl(PR_SET_NAME, bad_names[1], 0, 0, 0);
	int self = open_self(&e);
	assert_true(self >= 0);
	assert_int_equal(proc_each_task(self, look, &seen, &e), 0);
	assert_int_equal(seen.count, BAD + 1);
	close(self);
	pthread_barrier_wait(&done);
	for (size_t i = 0; i < BAD; i++)
		pthread_join(thread[i], NULL);
	prctl(PR_SET_NAME, "test", 0, 0, 0);
}

static int stop_at_once(void *context, int task, pid_t tid, struct err *e)
{
	(void)context;
	(void)task;
	(void)tid;
	return err_set(e, EX_REFUSED, "no");
}

static void a_doubt_stops(void **state)
{
	struct err e = { 0 };
	int self = open_self(&e);

	(void)state;
	assert_int_equal(proc_each_task(self, stop_at_once, NULL, &e), -EX_REFUSED);
	close(self);
}

/* A process that ended is not the one that has its number. */
static void another_with_the_number(void **state)
{
	struct err e = { 0 };
	int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	uint64_t start = 0;

	(void)state;
	assert_true(procid_start(getpid(), &start));
	assert_int_equal(proc_open(proc, getpid(), start + 1, &e), -EX_HOST);

	pid_t child = fork();
	if (child == 0)
		for (;;)
			pause();
	assert_true(procid_start(child, &start));
	e = (struct err){ 0 };
	int fd = proc_open(proc, child, start, &e);
	assert_true(fd >= 0);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	char text[64];
	assert_true(proc_read(fd, "stat", text, sizeof(text)) < 0);
	assert_int_equal(proc_each_task(fd, stop_at_once, NULL, &e), -EX_HOST);
	close(fd);
	close(proc);
}

static void a_file_is_read_whole_or_not(void **state)
{
	char path[] = "/tmp/pavise-proc.XXXXXX", out[16];
	int fd = mkstemp(path);
	int dir = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const char *name = path + sizeof("/tmp/") - 1;

	(void)state;
	assert_int_equal(write(fd, "0123456789abcde", 15), 15);
	assert_int_equal(proc_read(dir, name, out, sizeof(out)), 15);
	assert_string_equal(out, "0123456789abcde");
	assert_int_equal(write(fd, "f", 1), 1);
	assert_int_equal(proc_read(dir, name, out, sizeof(out)), -EFBIG);
	unlink(path);
	assert_int_equal(proc_read(dir, name, out, sizeof(out)), -ENOENT);
	close(dir);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field),
		cmocka_unit_test(lines_of_a_name_are_refused),
		cmocka_unit_test(other_forms_are_refused),
		cmocka_unit_test(threads_with_hostile_names),
		cmocka_unit_test(a_doubt_stops),
		cmocka_unit_test(another_with_the_number),
		cmocka_unit_test(a_file_is_read_whole_or_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
