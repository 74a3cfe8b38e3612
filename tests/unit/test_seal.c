/* Sealing on the running kernel. Each test seals a child of its own: sealing has no way back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "seccomp/dev_blk.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#ifndef PR_GET_MDWE /* Linux 6.3 */
#define PR_GET_MDWE 66
#define PR_MDWE_REFUSE_EXEC_GAIN 1
#endif

/* Statuses a child ends with: 0 all as expected, CANNOT the test is impossible here. */
#define WRONG(step) (10 + (step))
#define CANNOT 99

static int run(int (*child)(void))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(child());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void expect_success(int (*child)(void))
{
	int status = run(child);

	if (WIFEXITED(status) && WEXITSTATUS(status) == CANNOT) {
		print_message("# SKIP needs root or user namespaces\n");
		skip();
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		fail_msg("child ended with status %#x (exit status - 10 is the step)", status);
}

static void expect_sigsys(int (*child)(void))
{
	int status = run(child);

	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
		fail_msg("child ended with status %#x, not by SIGSYS", status);
}

/* ---- label and descriptors ----------------------------------------------------------------- */

static void label_none_is_accepted(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(seal_check_label("none", &e), 0);
}

static void another_label_is_refused(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(seal_check_label("no_u:no_r:no_t:s0", &e), -EX_HOST);
	assert_int_equal(strncmp(e.text, "label: ", 7), 0);
	e = (struct err){ 0 };
	assert_int_equal(seal_check_label("", &e), -EX_HOST);
}

static void refuse_fd(int fd, unsigned want, const char *cause)
{
	struct err e = { 0 };

	assert_int_equal(seal_check_fd("disk", fd, want, &e), -EX_HOST);
	assert_non_null(strstr(e.text, cause));
}

static void descriptors_are_what_they_should_be(void **state)
{
	int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), pair[2], pipes[2];
	int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	struct err e = { 0 };

	(void)state;
	assert_true(file >= 0 && null >= 0 && zero >= 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(seal_check_fd("disk", file, S_IFREG, &e), 0);
	assert_int_equal(seal_check_fd("control", pair[0], S_IFSOCK, &e), 0);
	assert_int_equal(seal_check_fd("kvm", zero, S_IFCHR, &e), 0);
	assert_int_equal(seal_check_fd("log", pipes[1], S_IFIFO, &e), 0);
	refuse_fd(null, S_IFCHR, "null device");
	refuse_fd(null, S_IFREG, "null device");
	refuse_fd(file, S_IFSOCK, "a regular file, not a socket");
	refuse_fd(pair[0], S_IFREG, "a socket, not a regular file");
	refuse_fd(pipes[0], S_IFCHR, "a pipe, not a character device");
	close(file);
	refuse_fd(file, S_IFREG, "disk: descriptor");
	close(null);
	close(zero);
	close(pair[0]);
	close(pair[1]);
	close(pipes[0]);
	close(pipes[1]);
}

/* ---- privileges ---------------------------------------------------------------------------- */

static bool can_drop(void)
{
	return geteuid() == 0 || unshare(CLONE_NEWUSER) == 0;
}

static int drop_bounding(void)
{
	for (unsigned long cap = 0; cap < 64; cap++)
		if (prctl(PR_CAPBSET_READ, cap, 0ul, 0ul, 0ul) > 0 &&
		    prctl(PR_CAPBSET_DROP, cap, 0ul, 0ul, 0ul) != 0)
			return -1;
	return 0;
}

static int drop_sets(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { 0 };

	return (int)syscall(SYS_capset, &header, none);
}

static int child_with_capabilities(void)
{
	struct err e = { 0 };

	if (!can_drop())
		return CANNOT;
	if (seal_process(&e) != -EX_HOST || strstr(e.text, "permitted") == NULL)
		return WRONG(0);
	return 0;
}

static int child_with_bounding_set(void)
{
	struct err e = { 0 };

	if (!can_drop())
		return CANNOT;
	if (drop_sets() != 0)
		return WRONG(0);
	if (seal_process(&e) != -EX_HOST || strstr(e.text, "bounding") == NULL)
		return WRONG(1);
	return 0;
}

static int child_without_capabilities(void)
{
	struct err e = { 0 };
	int signal_number = 0;

	if (!can_drop())
		return CANNOT;
	if (drop_bounding() != 0 || drop_sets() != 0)
		return WRONG(0);
	if (seal_process(&e) != 0)
		return WRONG(1);
	if (prctl(PR_GET_NO_NEW_PRIVS, 0ul, 0ul, 0ul, 0ul) != 1)
		return WRONG(2);
	if (prctl(PR_GET_DUMPABLE, 0ul, 0ul, 0ul, 0ul) != 0)
		return WRONG(3);
	if (prctl(PR_GET_PDEATHSIG, &signal_number) != 0 || signal_number != SIGKILL)
		return WRONG(4);
	/* EINVAL: before Linux 6.3. */
	int gain = prctl(PR_GET_MDWE, 0ul, 0ul, 0ul, 0ul);
	return gain == PR_MDWE_REFUSE_EXEC_GAIN || (gain < 0 && errno == EINVAL) ? 0 : WRONG(5);
}

/* ---- speculation: a kernel that offers what this machine may not ---------------------------- */

static struct {
	bool on;
	int state[2]; /* of store bypass and indirect branches; negative: fails */
	bool refuses;
	unsigned set[2];
} kernel;

int __wrap_prctl(int option, ...);
int __real_prctl(int option, ...);

int __wrap_prctl(int option, ...)
{
	bool get = option == PR_GET_SPECULATION_CTRL;
	unsigned long a, b, c, d;
	va_list args;

	va_start(args, option);
	a = va_arg(args, unsigned long);
	b = va_arg(args, unsigned long);
	c = va_arg(args, unsigned long);
	d = va_arg(args, unsigned long);
	va_end(args);
	if (!kernel.on || (!get && option != PR_SET_SPECULATION_CTRL) || a > 1)
		return __real_prctl(option, a, b, c, d);
	errno = kernel.refuses && !get ? EPERM : ENODEV;
	if (get)
		return kernel.state[a];
	kernel.set[a] = (unsigned)b;
	return kernel.refuses ? -1 : 0;
}

static int child_speculates(int stores, int branches, bool refuses, unsigned want_stores,
			    unsigned want_branches)
{
	struct err e = { 0 };
	int rc;

	if (!can_drop())
		return CANNOT;
	if (drop_bounding() != 0 || drop_sets() != 0)
		return WRONG(0);
	kernel.on = true;
	kernel.state[PR_SPEC_STORE_BYPASS] = stores;
	kernel.state[PR_SPEC_INDIRECT_BRANCH] = branches;
	kernel.refuses = refuses;
	rc = seal_process(&e);
	if (rc != (refuses ? -EX_HOST : 0))
		return WRONG(1);
	return kernel.set[PR_SPEC_STORE_BYPASS] == want_stores &&
			       kernel.set[PR_SPEC_INDIRECT_BRANCH] == want_branches ? 0 : WRONG(2);
}

static int child_may_stop_speculation(void)
{
	return child_speculates(PR_SPEC_PRCTL | PR_SPEC_ENABLE, PR_SPEC_PRCTL | PR_SPEC_ENABLE,
				false, PR_SPEC_FORCE_DISABLE, PR_SPEC_FORCE_DISABLE);
}

static int child_need_not(void)
{
	return child_speculates(PR_SPEC_NOT_AFFECTED, PR_SPEC_DISABLE, false, 0, 0);
}

static int child_on_an_old_kernel(void)
{
	return child_speculates(-1, -1, false, 0, 0);
}

static int child_is_refused(void)
{
	return child_speculates(PR_SPEC_PRCTL | PR_SPEC_ENABLE, PR_SPEC_NOT_AFFECTED, true,
				PR_SPEC_FORCE_DISABLE, 0);
}

static void speculation_ends_where_the_process_decides(void **state)
{
	(void)state;
	expect_success(child_may_stop_speculation);
	expect_success(child_need_not);
	expect_success(child_on_an_old_kernel);
	expect_success(child_is_refused);
}

static void held_capabilities_are_refused(void **state)
{
	(void)state;
	expect_success(child_with_capabilities);
}

static void a_bounding_set_is_refused(void **state)
{
	(void)state;
	expect_success(child_with_bounding_set);
}

static void a_process_without_capabilities_is_sealed(void **state)
{
	(void)state;
	expect_success(child_without_capabilities);
}

/* ---- Landlock ------------------------------------------------------------------------------ */

static int landlock(void)
{
	struct err e = { 0 };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1ul, 0ul, 0ul, 0ul) != 0)
		return -1;
	return seal_landlock(&e);
}

static int child_opens(void)
{
	int old = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char byte;
	int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	if (old < 0 || file < 0)
		return WRONG(0);
	if (landlock() != 0)
		return WRONG(1);
	if (open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC) >= 0 || errno != EACCES)
		return WRONG(2);
	if (open("/proc/self/exe", O_RDONLY | O_CLOEXEC) >= 0 || errno != EACCES)
		return WRONG(3);
	if (openat(old, "tmp/pavise-test-seal", O_CREAT | O_WRONLY | O_CLOEXEC, 0600) >= 0 ||
	    errno != EACCES)
		return WRONG(4);
	/* What was open stays usable: the wall is against new opens only. */
	return read(file, &byte, 1) == 1 ? 0 : WRONG(5);
}

static long landlock_abi(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0ul, 1u);
}

static int child_binds(void)
{
	struct sockaddr_in any = { .sin_family = AF_INET };
	int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (s < 0)
		return WRONG(0);
	any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (landlock() != 0)
		return WRONG(1);
	if (bind(s, (struct sockaddr *)&any, sizeof(any)) == 0 || errno != EACCES)
		return WRONG(2);
	any.sin_port = htons(9);
	if (connect(s, (struct sockaddr *)&any, sizeof(any)) == 0 || errno != EACCES)
		return WRONG(3);
	return 0;
}

static int child_signals(void)
{
	if (kill(getppid(), 0) != 0)
		return WRONG(0);
	if (landlock() != 0)
		return WRONG(1);
	if (kill(getppid(), 0) == 0 || errno != EPERM)
		return WRONG(2);
	return kill(getpid(), 0) == 0 ? 0 : WRONG(3);
}

static int child_abstract(void)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 20);

	memset(name.sun_path, 0, sizeof(name.sun_path));
	snprintf(name.sun_path + 1, 19, "pavise-seal-%d", (int)getpid());
	if (bind(server, (struct sockaddr *)&name, size) != 0 || listen(server, 1) != 0)
		return WRONG(0);
	if (landlock() != 0)
		return WRONG(1);
	if (connect(client, (struct sockaddr *)&name, size) == 0 || errno != EPERM)
		return WRONG(2);
	return 0;
}

static void need_abi(long version)
{
	if (landlock_abi() < version) {
		print_message("# SKIP needs Landlock ABI %ld\n", version);
		skip();
	}
}

static void landlock_denies_new_files(void **state)
{
	(void)state;
	need_abi(1);
	expect_success(child_opens);
}

static void landlock_denies_tcp(void **state)
{
	(void)state;
	need_abi(4);
	expect_success(child_binds);
}

static void landlock_denies_signals_to_others(void **state)
{
	(void)state;
	need_abi(6);
	expect_success(child_signals);
}

static void landlock_denies_abstract_sockets_of_others(void **state)
{
	(void)state;
	need_abi(6);
	expect_success(child_abstract);
}

/* ---- seccomp ------------------------------------------------------------------------------- */

static int install(int all_threads)
{
	struct err e = { 0 };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1ul, 0ul, 0ul, 0ul) != 0)
		return -1;
	return seal_seccomp(dev_blk_filter, COUNT(dev_blk_filter), all_threads, &e);
}

static int child_allowed(void)
{
	int pair[2];
	char byte = 'x';

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0 || install(0) != 0)
		return WRONG(0);
	/* Bare system calls to the end: instrumentation around the library's makes others. */
	if (syscall(SYS_write, pair[0], &byte, 1ul) != 1 ||
	    syscall(SYS_read, pair[1], &byte, 1ul) != 1)
		syscall(SYS_exit_group, WRONG(1));
	syscall(SYS_exit_group, 0);
	return WRONG(2);
}

static int child_forbidden(void)
{
	if (install(0) != 0)
		return WRONG(0);
	syscall(SYS_openat, AT_FDCWD, "/", O_RDONLY);
	return WRONG(1);
}

static int child_x32(void)
{
	if (install(0) != 0)
		return WRONG(0);
	syscall(0x40000000 | SYS_write, 1, "", 0);
	return WRONG(1);
}

static void *other_thread(void *arg)
{
	while (!*(volatile int *)arg)
		sched_yield();
	syscall(SYS_getppid);
	return NULL;
}

/* All threads get the filter: another one's forbidden call ends the process too. */
static int child_other_thread(void)
{
	static volatile int installed;
	pthread_t t;

	if (pthread_create(&t, NULL, other_thread, (void *)(uintptr_t)&installed) != 0)
		return WRONG(0);
	if (install(1) != 0)
		return WRONG(1);
	installed = 1;
	for (unsigned i = 0; i < 100; i++)
		syscall(SYS_poll, NULL, 0, 100);
	return WRONG(2);
}

static const struct sock_filter allow_all[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };

static void *thread_with_own_filter(void *arg)
{
	struct err e = { 0 };

	if (seal_seccomp(allow_all, 1, 0, &e) != 0)
		_exit(WRONG(3));
	*(volatile int *)arg = 1;
	for (;;)
		pause();
}

/* A thread with a filter that this one does not have cannot be brought in line. */
static int child_other_filter(void)
{
	static volatile int ready;
	struct err e = { 0 };
	pthread_t t;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1ul, 0ul, 0ul, 0ul) != 0 ||
	    pthread_create(&t, NULL, thread_with_own_filter, (void *)(uintptr_t)&ready) != 0)
		return WRONG(0);
	while (!ready)
		sched_yield();
	if (seal_seccomp(allow_all, 1, 1, &e) != -EX_HOST)
		return WRONG(1);
	return strstr(e.text, "thread") != NULL ? 0 : WRONG(2);
}

static void allowed_calls_go_on(void **state)
{
	(void)state;
	expect_success(child_allowed);
}

static void a_forbidden_call_kills(void **state)
{
	(void)state;
	expect_sigsys(child_forbidden);
}

static void an_x32_call_kills(void **state)
{
	(void)state;
	expect_sigsys(child_x32);
}

static void the_filter_reaches_all_threads(void **state)
{
	(void)state;
	expect_sigsys(child_other_thread);
}

static void a_thread_that_cannot_follow_is_an_error(void **state)
{
	(void)state;
	expect_success(child_other_filter);
}

static void an_impossible_filter_is_refused(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(seal_seccomp(dev_blk_filter, 0, 0, &e), -EX_INTERNAL);
	e = (struct err){ 0 };
	assert_int_equal(seal_seccomp(dev_blk_filter, BPF_MAXINSNS + 1, 0, &e), -EX_INTERNAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(label_none_is_accepted),
		cmocka_unit_test(another_label_is_refused),
		cmocka_unit_test(descriptors_are_what_they_should_be),
		cmocka_unit_test(held_capabilities_are_refused),
		cmocka_unit_test(a_bounding_set_is_refused),
		cmocka_unit_test(a_process_without_capabilities_is_sealed),
		cmocka_unit_test(speculation_ends_where_the_process_decides),
		cmocka_unit_test(landlock_denies_new_files),
		cmocka_unit_test(landlock_denies_tcp),
		cmocka_unit_test(landlock_denies_signals_to_others),
		cmocka_unit_test(landlock_denies_abstract_sockets_of_others),
		cmocka_unit_test(allowed_calls_go_on),
		cmocka_unit_test(a_forbidden_call_kills),
		cmocka_unit_test(an_x32_call_kills),
		cmocka_unit_test(the_filter_reaches_all_threads),
		cmocka_unit_test(a_thread_that_cannot_follow_is_an_error),
		cmocka_unit_test(an_impossible_filter_is_refused),
	};

	return cmocka_run_group_tests_name("seal", tests, NULL, NULL);
}
