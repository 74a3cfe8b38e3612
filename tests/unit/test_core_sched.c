/* Core scheduling: what is asked of the kernel, and what becomes of its answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "sandbox/core_sched.h"

#include <errno.h>
#include <linux/prctl.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static struct {
	bool on;
	int fails_with; /* an errno; 0: succeeds */
	unsigned calls;
	unsigned long a, b, c;
} kernel;

int __wrap_prctl(int option, ...);
int __real_prctl(int option, ...);

int __wrap_prctl(int option, ...)
{
	unsigned long a, b, c, d;
	va_list args;

	va_start(args, option);
	a = va_arg(args, unsigned long);
	b = va_arg(args, unsigned long);
	c = va_arg(args, unsigned long);
	d = va_arg(args, unsigned long);
	va_end(args);
	if (!kernel.on)
		return __real_prctl(option, a, b, c, d);
	assert_int_equal(option, PR_SCHED_CORE);
	kernel.calls++;
	kernel.a = a;
	kernel.b = b;
	kernel.c = c;
	errno = kernel.fails_with;
	return kernel.fails_with == 0 ? 0 : -1;
}

static int ask(int fails_with)
{
	struct err e = { 0 };
	int rc;

	kernel.on = true;
	kernel.fails_with = fails_with;
	kernel.calls = 0;
	rc = core_sched_keep_apart(&e);
	kernel.on = false;
	assert_int_equal(kernel.calls, 1);
	assert_int_equal(rc, -(int)e.status);
	return rc;
}

static void a_new_cookie_is_made_for_the_caller(void **state)
{
	(void)state;
	assert_int_equal(ask(0), 0);
	assert_int_equal(kernel.a, PR_SCHED_CORE_CREATE);
	assert_int_equal(kernel.b, 0); /* this thread, the only one */
	assert_int_equal(kernel.c, PR_SCHED_CORE_SCOPE_THREAD);
}

static void nothing_to_separate_is_no_failure(void **state)
{
	(void)state;
	assert_int_equal(ask(ENODEV), 0);
	assert_int_equal(ask(EINVAL), 0);
	assert_int_equal(ask(ENOMEM), -EX_HOST);
	assert_int_equal(ask(EPERM), -EX_HOST);
}

/* Of the caller: 0 when it has none or the kernel knows of none, which *known says. */
static uint64_t own_cookie(bool *known)
{
	uint64_t cookie = 0;
	int rc = prctl(PR_SCHED_CORE, (unsigned long)PR_SCHED_CORE_GET, 0ul,
		       (unsigned long)PR_SCHED_CORE_SCOPE_THREAD,
		       (unsigned long)(uintptr_t)&cookie);

	*known = rc == 0;
	return *known ? cookie : 0;
}

/* A launcher, and a child of it: 0 when both have a cookie, the same, and not `other`. */
static int launcher(uint64_t other, int report)
{
	struct err e = { 0 };
	int status = 0;
	uint64_t mine;
	bool known;

	if (core_sched_keep_apart(&e) != 0)
		return 1;
	mine = own_cookie(&known);
	if (mine == 0 || mine == other || write(report, &mine, sizeof(mine)) != sizeof(mine))
		return 2;
	pid_t pid = fork();
	if (pid == 0)
		_exit(own_cookie(&known) == mine ? 0 : 1);
	return waitpid(pid, &status, 0) == pid && status == 0 ? 0 : 3;
}

static void run_launcher(uint64_t other, int report)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(launcher(other, report));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void children_share_it_and_launchers_do_not(void **state)
{
	uint64_t first, second = 0;
	int report[2];
	bool known;

	(void)state;
	first = own_cookie(&known);
	if (!known) {
		print_message("# SKIP no core scheduling: this kernel lacks it, or no two hardware "
			      "threads share a core\n");
		skip();
	}
	assert_int_equal(pipe(report), 0);
	run_launcher(first, report[1]);
	assert_int_equal(read(report[0], &first, sizeof(first)), sizeof(first));
	run_launcher(first, report[1]);
	assert_int_equal(read(report[0], &second, sizeof(second)), sizeof(second));
	assert_int_not_equal(first, second);
	close(report[0]);
	close(report[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_cookie_is_made_for_the_caller),
		cmocka_unit_test(nothing_to_separate_is_no_failure),
		cmocka_unit_test(children_share_it_and_launchers_do_not),
	};

	return cmocka_run_group_tests_name("core_sched", tests, NULL, NULL);
}
