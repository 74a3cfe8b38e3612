/* The real pavise-psp-sim with a chip of its own, as the launcher starts it: launched before it is
 * sealed, asked for reports under its real filter. Needs root, since only then the capability
 * sets can be emptied as the launcher empties them, and Landlock. */
#include "tests/model/psp_bench.h"

#include "common/record.h"
#include "model/psp/chain.h"
#include "model/psp/state.h"
#include "model/psp_client.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define CHILD_FDS 5 /* control, psp, log, key, certs: 3..7 */
#define NOBODY 65534
#define REPORTS 200 /* more than any allocation of the warm-up would last for */

struct process {
	pid_t pid;
	int control, psp, log;
};

static struct psp_bench bench;

/* What keeps the test from running, or NULL. */
static const char *missing(void)
{
#ifdef __SANITIZE_ADDRESS__
	return "the address sanitizer needs system calls that the filters refuse";
#endif
	if (geteuid() != 0)
		return "not root: the capability bounding set cannot be emptied";
	if (syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) < 1)
		return "needs Landlock";
	return NULL;
}

static void drop_privileges(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { 0 };

	for (unsigned long cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) != 0)
			_exit(101);
	if (setgroups(0, NULL) != 0 || setresgid(NOBODY, NOBODY, NOBODY) != 0 ||
	    setresuid(NOBODY, NOBODY, NOBODY) != 0 || syscall(SYS_capset, &header, none) != 0)
		_exit(102);
}

static void become(int program, char *const argv[], const int fds[CHILD_FDS])
{
	int high[CHILD_FDS];

	program = fcntl(program, F_DUPFD_CLOEXEC, 100);
	for (int i = 0; i < CHILD_FDS; i++)
		high[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 100);
	for (int i = 0; i < CHILD_FDS; i++)
		if (dup2(high[i], 3 + i) < 0)
			_exit(103);
	drop_privileges();
	execveat(program, "", argv, environ, AT_EMPTY_PATH);
	_exit(104);
}

static int open_part(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", bench.folder, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void start(struct process *p, char *const argv[])
{
	const char *build = getenv("PAVISE_BUILD");
	char path[512];
	int control[2], psp[2];

	snprintf(path, sizeof(path), "%s/bin/pavise-psp-sim", build != NULL ? build : "build");
	int program = open(path, O_PATH | O_CLOEXEC);
	assert_true(program >= 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, psp), 0);
	p->log = memfd_create("log", MFD_CLOEXEC);
	const int fds[CHILD_FDS] = { control[1], psp[1], p->log, open_part(STATE_KEY),
				     open_part(STATE_CERTS) };
	p->pid = fork();
	if (p->pid == 0)
		become(program, argv, fds);
	assert_true(p->pid > 0);
	p->control = control[0];
	p->psp = psp[0];
	close(program);
	close(control[1]);
	close(psp[1]);
	close(fds[3]);
	close(fds[4]);
}

static void await_record(struct process *p, enum record_type type)
{
	struct pollfd wait = { .fd = p->control, .events = POLLIN };
	struct record r = { 0 };
	struct err e = { 0 };

	assert_int_equal(poll(&wait, 1, 10000), 1);
	if (record_receive(p->control, "psp", &r, &e) != 1) {
		char text[512] = { 0 };

		assert_true(pread(p->log, text, sizeof(text) - 1, 0) >= 0);
		fail_msg("psp ended: %s", text);
	}
	assert_int_equal(r.type, type);
}

/* Waits for the end, 5 s; the status as waitpid has it. */
static int end_of(struct process *p)
{
	struct pollfd wait = { .fd = (int)syscall(SYS_pidfd_open, p->pid, 0), .events = POLLIN };
	int status = -1;

	if (poll(&wait, 1, 5000) != 1) {
		kill(p->pid, SIGKILL);
		waitpid(p->pid, &status, 0);
		fail_msg("it does not end");
	}
	waitpid(p->pid, &status, 0);
	close(wait.fd);
	close(p->control);
	close(p->psp);
	close(p->log);
	return status;
}

static char *const good_args[] = { "pavise-psp-sim", "label=none", "control=3", "psp=4", "log=5",
				   "key=6", "certs=7", NULL };

static void launch(int fd)
{
	static uint8_t page[PSP_PAGE];
	static const uint8_t none[32];
	struct err e = { 0 };
	uint32_t status = ~0u;
	int replaced;

	assert_int_equal(psp_gctx_create(fd, &status, &e), 0);
	assert_int_equal(psp_launch_start(fd, BENCH_POLICY, none, &status, &e), 0);
	assert_int_equal(psp_activate(fd, BENCH_ASID, &status, &e), 0);
	for (uint64_t i = 0; i < 64; i++)
		assert_int_equal(psp_launch_update(fd, i * PSP_PAGE, PSP_TYPE_NORMAL, BENCH_ASID,
						   page, &replaced, &status, &e), 0);
	assert_int_equal(psp_launch_finish(fd, NULL, NULL, 0, 0, none, &status, &e), 0);
	assert_int_equal(status, PSP_SUCCESS);
}

static void sealed_it_reports(void **state)
{
	(void)state;
	static uint8_t answer[PSP_PAYLOAD_MAX];
	X509 *vcek = chain_certificate(bench.table, bench.table_size, CHAIN_VCEK);
	struct psp_report_request r = { .vmpl = 0 };
	struct process p;
	struct err e = { 0 };
	uint32_t status = ~0u;
	size_t size;

	start(&p, good_args);
	await_record(&p, RECORD_READY);
	launch(p.psp);
	assert_int_equal(record_send(p.control, RECORD_SEAL, 0, 0, &e), 0);
	await_record(&p, RECORD_SEALED);
	for (int i = 0; i < REPORTS; i++) {
		r.report_data[0] = (uint8_t)i;
		if (psp_guest_report(p.psp, &r, sizeof(r), answer, sizeof(answer), &size, &status,
				     &e) != 0)
			fail_msg("report %d: %s", i, e.text);
		assert_int_equal(status, PSP_SUCCESS);
		assert_int_equal(answer[32 + 0x50], (uint8_t)i);
	}
	assert_true(bench_signature_holds(answer + 32, vcek));
	X509_free(vcek);
	assert_int_equal(record_send(p.control, RECORD_STOP, 0, 0, &e), 0);
	assert_int_equal(end_of(&p), 0);
}

static void vmm_gone_waits_for_the_launcher(void **state)
{
	(void)state;
	struct process p;
	struct err e = { 0 };

	start(&p, good_args);
	await_record(&p, RECORD_READY);
	assert_int_equal(record_send(p.control, RECORD_SEAL, 0, 0, &e), 0);
	await_record(&p, RECORD_SEALED);
	assert_int_equal(shutdown(p.psp, SHUT_RDWR), 0);
	assert_int_equal(record_send(p.control, RECORD_STOP, 0, 0, &e), 0);
	assert_int_equal(end_of(&p), 0);
}

static void broken_framing_ends_it(void **state)
{
	(void)state;
	struct process p;

	start(&p, good_args);
	await_record(&p, RECORD_READY);
	assert_int_equal(send(p.psp, "PSP?", 4, 0), 4);
	int status = end_of(&p);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EX_MALFORMED);
}

static void arguments_are_checked(void **state)
{
	(void)state;
	static char *const table[][9] = {
		{ "pavise-psp-sim", NULL },
		{ "pavise-psp-sim", "label=none", "control=3", "psp=4", "log=5", "key=6", NULL },
		{ "pavise-psp-sim", "control=3", "psp=4", "log=5", "key=6", "certs=7", NULL },
		{ "pavise-psp-sim", "label=none", "control=3", "psp=4", "log=5", "key=6", "certs=7",
		  "certs=7", NULL },
		{ "pavise-psp-sim", "label=none", "control=3", "psp=4", "log=5", "key=6",
		  "certs=99", NULL },
		{ "pavise-psp-sim", "init", NULL },
		{ "pavise-psp-sim", "root", "--state", "/nonexistent", NULL },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct process p;

		start(&p, table[i]);
		int status = end_of(&p);
		if (!WIFEXITED(status) || WEXITSTATUS(status) != EX_USAGE_ERROR)
			fail_msg("case %zu: status %#x", i, (unsigned)status);
	}
}

static int set_up(void **state)
{
	(void)state;
	bench_make(&bench);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	bench_remove(&bench);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sealed_it_reports),
		cmocka_unit_test(vmm_gone_waits_for_the_launcher),
		cmocka_unit_test(broken_framing_ends_it),
		cmocka_unit_test(arguments_are_checked),
	};

	if (missing() != NULL) {
		printf("1..0 # SKIP %s\n", missing());
		return 0;
	}
	return cmocka_run_group_tests_name("psp_process", tests, set_up, tear_down);
}
