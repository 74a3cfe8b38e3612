/* The real pavise-tdx-sim with a platform of its own, as the launcher starts it: a TD is built
 * before it is sealed, reports and quotes are asked for under its real filter. Needs root, since
 * only then the capability sets can be emptied as the launcher empties them, and Landlock. */
#include "common/record.h"
#include "model/tdx_sim/chain.h"
#include "model/tdx_sim/qgs.h"
#include "model/tdx_sim/state.h"

#include "attest/tdx/quote.h"
#include "common/bytes.h"

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
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define CHILD_FDS 6 /* control, psp, qgs, log, key, certs: 3..8 */
#define NOBODY 65534
#define QUOTES 100 /* more than any allocation of the warm-up would last for */

struct process {
	pid_t pid;
	int control, psp, log;
};

static char folder[] = "/tmp/pavise-tdx-XXXXXX";

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

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

/* A name in the test's own folder, as the launcher gives it to pavise-quote. */
static void quote_address(struct sockaddr_un *a)
{
	*a = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf(a->sun_path, sizeof(a->sun_path), "%s/qgs", folder);
}

static int listen_for_quotes(void)
{
	struct sockaddr_un a;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	quote_address(&a);
	unlink(a.sun_path);
	assert_int_equal(bind(fd, (const struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 8), 0);
	return fd;
}

static int dial(void)
{
	const struct timeval limit = { .tv_sec = 20 };
	struct sockaddr_un a;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	quote_address(&a);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

static void start(struct process *p, char *const argv[])
{
	const char *build = getenv("PAVISE_BUILD");
	char path[512];
	int control[2], psp[2];

	snprintf(path, sizeof(path), "%s/bin/pavise-tdx-sim", build != NULL ? build : "build");
	int program = open(path, O_PATH | O_CLOEXEC);
	assert_true(program >= 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, psp), 0);
	p->log = memfd_create("log", MFD_CLOEXEC);
	const int fds[CHILD_FDS] = { control[1], psp[1], listen_for_quotes(), p->log,
				     open_part(TDX_STATE_KEY), open_part(TDX_STATE_CERTS) };
	p->pid = fork();
	if (p->pid == 0)
		become(program, argv, fds);
	assert_true(p->pid > 0);
	p->control = control[0];
	p->psp = psp[0];
	close(program);
	close(control[1]);
	close(psp[1]);
	close(fds[2]);
	close(fds[4]);
	close(fds[5]);
}

static void await_record(struct process *p, enum record_type type)
{
	struct pollfd wait = { .fd = p->control, .events = POLLIN };
	struct record r = { 0 };
	struct err e = { 0 };

	assert_int_equal(poll(&wait, 1, 10000), 1);
	if (record_receive(p->control, "tdx", &r, &e) != 1) {
		char text[512] = { 0 };

		assert_true(pread(p->log, text, sizeof(text) - 1, 0) >= 0);
		fail_msg("tdx ended: %s", text);
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

static char *const good_args[] = { "pavise-tdx-sim", "label=none", "control=3", "psp=4", "qgs=5",
				   "log=6", "key=7", "certs=8", NULL };

static void ask(int fd, uint32_t command, const void *payload, uint32_t size, void *out,
		size_t out_size)
{
	struct {
		struct tdx_header h;
		uint8_t payload[TDX_WIRE_PAYLOAD_MAX];
	} m = { .h = { .magic = TDX_WIRE_MAGIC, .command = command, .size = size } };

	if (size > 0)
		memcpy(m.payload, payload, size);
	assert_int_equal(send(fd, &m, sizeof(m.h) + size, 0), sizeof(m.h) + size);
	ssize_t n = recv(fd, &m, sizeof(m), 0);
	assert_int_equal(n, sizeof(m.h) + out_size);
	assert_int_equal(m.h.status, TDX_ST_SUCCESS);
	if (out_size > 0)
		memcpy(out, m.payload, out_size);
}

static void launch(int fd)
{
	const struct tdx_mng_init init = { .attributes = 1ull << 28, .xfam = 0xE7, .gpaw = 48,
					   .max_cpus = 1 };

	ask(fd, TDX_MNG_INIT, &init, sizeof(init), NULL, 0);
	for (uint64_t i = 0; i < 64; i++) {
		const struct tdx_page_add page = { .gpa = i * 4096 };
		const struct tdx_mr_extend chunk = { .gpa = i * 4096 };

		ask(fd, TDX_PAGE_ADD, &page, sizeof(page), NULL, 0);
		ask(fd, TDX_MR_EXTEND, &chunk, sizeof(chunk), NULL, 0);
	}
	ask(fd, TDX_MR_FINALIZE, NULL, 0, NULL, 0);
}

static void seal(struct process *p)
{
	struct err e = { 0 };

	assert_int_equal(record_send(p->control, RECORD_SEAL, 0, 0, &e), 0);
	await_record(p, RECORD_SEALED);
}

static void stop(struct process *p)
{
	struct err e = { 0 };

	assert_int_equal(record_send(p->control, RECORD_STOP, 0, 0, &e), 0);
	assert_int_equal(end_of(p), 0);
}

static void make_request(const uint8_t report[TDX_WIRE_REPORT_SIZE],
			 uint8_t out[TDX_QGS_REQUEST_SIZE])
{
	struct writer w = writer_over(out, TDX_QGS_REQUEST_SIZE);

	write_be32(&w, TDX_QGS_REQUEST_SIZE - QGS_FRAME);
	write_le16(&w, 1);
	write_le16(&w, 1);
	write_le32(&w, QGS_GET_QUOTE_REQ);
	write_le32(&w, TDX_QGS_REQUEST_SIZE - QGS_FRAME);
	write_le32(&w, 0);
	write_le32(&w, TDX_WIRE_REPORT_SIZE);
	write_le32(&w, 0);
	write_copy(&w, report, TDX_WIRE_REPORT_SIZE);
}

/* One request in two pieces; the quote's size, 0 for an error. */
static size_t quote(int psp, uint8_t mark, uint8_t answer[TDX_QGS_ANSWER_MAX])
{
	const struct tdx_mr_report r = { .report_data = { mark } };
	uint8_t report[TDX_WIRE_REPORT_SIZE], request[TDX_QGS_REQUEST_SIZE];
	size_t have = 0;
	ssize_t n;

	ask(psp, TDX_MR_REPORT, &r, sizeof(r), report, sizeof(report));
	make_request(report, request);
	int fd = dial();
	assert_int_equal(send(fd, request, 100, MSG_NOSIGNAL), 100);
	assert_int_equal(send(fd, request + 100, sizeof(request) - 100, MSG_NOSIGNAL),
			 sizeof(request) - 100);
	while ((n = recv(fd, answer + have, TDX_QGS_ANSWER_MAX - have, 0)) > 0)
		have += (size_t)n;
	assert_int_equal(n, 0); /* one answer a connection */
	close(fd);
	return have > 28 ? have - 28 : 0;
}

static void sealed_it_reports_and_quotes(void **state)
{
	(void)state;
	static uint8_t answer[TDX_QGS_ANSWER_MAX];
	struct process p;
	struct tdx_quote q;
	struct err e = { 0 };

	start(&p, good_args);
	await_record(&p, RECORD_READY);
	launch(p.psp);
	seal(&p);
	for (unsigned i = 0; i < QUOTES; i++) {
		size_t size = quote(p.psp, (uint8_t)i, answer);
		assert_true(size > 0);
		if (tdx_quote_parse(answer + 28, size, &q, &e) != 0)
			fail_msg("quote %u: %s", i, e.text);
		assert_int_equal(q.body.report_data[0], (uint8_t)i);
		assert_int_equal(tdx_quote_verify(&q, NULL, &e), 0);
	}
	stop(&p);
}

/* Whoever reaches the socket can end its own connection and nothing else. */
static void bad_peers_cost_it_nothing(void **state)
{
	(void)state;
	static uint8_t answer[TDX_QGS_ANSWER_MAX], noise[4096];
	struct process p;

	start(&p, good_args);
	await_record(&p, RECORD_READY);
	launch(p.psp);
	seal(&p);
	memset(noise, 0xff, sizeof(noise));
	for (size_t n = 0; n < sizeof(noise); n = 2 * n + 1) {
		int fd = dial();
		if (n > 0)
			assert_true(send(fd, noise, n, MSG_NOSIGNAL) > 0);
		if (n >= QGS_FRAME) /* enough to be refused */
			assert_true(recv(fd, answer, sizeof(answer), 0) <= 0);
		close(fd);
	}
	/* One that says nothing is given up, those behind it are served. */
	int silent = dial();
	assert_true(quote(p.psp, 1, answer) > 0);
	close(silent);
	stop(&p);
}

static void vmm_gone_waits_for_the_launcher(void **state)
{
	(void)state;
	struct process p;

	start(&p, good_args);
	await_record(&p, RECORD_READY);
	seal(&p);
	assert_int_equal(shutdown(p.psp, SHUT_RDWR), 0);
	stop(&p);
}

static void broken_framing_ends_it(void **state)
{
	(void)state;
	struct process p;

	start(&p, good_args);
	await_record(&p, RECORD_READY);
	assert_int_equal(send(p.psp, "TDX?", 4, 0), 4);
	int status = end_of(&p);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EX_MALFORMED);
}

static void arguments_are_checked(void **state)
{
	(void)state;
	static char *const table[][10] = {
		{ "pavise-tdx-sim", NULL },
		{ "pavise-tdx-sim", "label=none", "control=3", "psp=4", "log=6", "key=7", "certs=8",
		  NULL },
		{ "pavise-tdx-sim", "control=3", "psp=4", "qgs=5", "log=6", "key=7", "certs=8",
		  NULL },
		{ "pavise-tdx-sim", "label=none", "control=3", "psp=4", "qgs=5", "log=6", "key=7",
		  "certs=8", "certs=8", NULL },
		{ "pavise-tdx-sim", "label=none", "control=3", "psp=4", "qgs=5", "log=6", "key=7",
		  "certs=99", NULL },
		{ "pavise-tdx-sim", "init", NULL },
		{ "pavise-tdx-sim", "root", "--state", "/nonexistent", NULL },
		{ "pavise-tdx-sim", "collateral", "-o", "/nonexistent", NULL },
		{ "pavise-tdx-sim", "init", "--state", "/nonexistent", "-o", "x", NULL },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct process p;

		start(&p, table[i]);
		int status = end_of(&p);
		if (!WIFEXITED(status) || WEXITSTATUS(status) != EX_USAGE_ERROR)
			fail_msg("case %zu: status %#x", i, (unsigned)status);
	}
}

/* A second start finds the same platform; a folder that others could read is refused. */
static void state_is_made_once_and_private(void **state)
{
	(void)state;
	char path[128];
	struct err e = { 0 };
	int made = 1;

	assert_int_equal(tdx_state_init(folder, &made, &e), 0);
	assert_int_equal(made, 0);
	snprintf(path, sizeof(path), "%s/collateral", folder);
	assert_int_equal(tdx_state_collateral(folder, path, &e), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(chmod(folder, 0750), 0);
	assert_int_equal(tdx_state_init(folder, &made, &e), -EX_HOST);
	assert_int_equal(tdx_state_collateral(folder, path, &e), -EX_HOST);
	assert_int_equal(chmod(folder, 0700), 0);
	snprintf(path, sizeof(path), "%s/%s", folder, TDX_STATE_SIGNING_KEY);
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(tdx_state_init(folder, &made, &e), -EX_HOST);
	assert_int_equal(chmod(path, 0600), 0);
}

static int set_up(void **state)
{
	(void)state;
	struct err e = { 0 };
	int made = 0;

	assert_non_null(mkdtemp(folder));
	assert_int_equal(tdx_state_init(folder, &made, &e), 0);
	assert_int_equal(made, 1);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	static const char *const names[] = { TDX_STATE_KEY, TDX_STATE_CERTS, TDX_STATE_SIGNING_KEY,
					     TDX_STATE_SIGNING, "qgs" };
	char path[128];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
	}
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sealed_it_reports_and_quotes),
		cmocka_unit_test(bad_peers_cost_it_nothing),
		cmocka_unit_test(vmm_gone_waits_for_the_launcher),
		cmocka_unit_test(broken_framing_ends_it),
		cmocka_unit_test(arguments_are_checked),
		cmocka_unit_test(state_is_made_once_and_private),
	};

	if (missing() != NULL) {
		printf("1..0 # SKIP %s\n", missing());
		return 0;
	}
	return cmocka_run_group_tests_name("tdx_sim_process", tests, set_up, tear_down);
}
