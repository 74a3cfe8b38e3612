#include "tests/unit/quote_bench.h"

#include "common/bytes.h"
#include "common/record.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
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

#define CHILD_FDS 4
#define NOBODY 65534
#define WAIT_MS 10000

struct quote_bench *quote_bench_open(void)
{
	struct quote_bench *b = calloc(1, sizeof(*b));
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	assert_non_null(b);
	b->control = b->channel = -1;
	snprintf(b->folder, sizeof(b->folder), "/tmp/quote-XXXXXX");
	assert_non_null(mkdtemp(b->folder));
	assert_int_equal(chmod(b->folder, 0711), 0);
	b->dir = open(b->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	b->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	b->log = memfd_create("log", MFD_CLOEXEC);
	assert_true(b->dir >= 0 && b->listener >= 0 && b->log >= 0);
	snprintf(a.sun_path, sizeof(a.sun_path), "%s/" BENCH_SOCKET, b->folder);
	assert_int_equal(bind(b->listener, (const struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(chmod(a.sun_path, 0666), 0);
	assert_int_equal(listen(b->listener, 4), 0);
	return b;
}

static void __attribute__((noreturn)) serve(const struct quote_bench *b, int control, int channel,
					    int timeout_ms, int interval_ms)
{
	static struct relay r;
	struct err e = { 0 };

	relay_init(&r);
	r.control = control;
	r.channel = channel;
	r.log = b->log;
	r.timeout_ms = timeout_ms;
	r.interval_ms = interval_ms;
	r.service = (struct service){ .family = AF_UNIX, .name = BENCH_SOCKET };
	if (fchdir(b->dir) != 0 || record_send(control, RECORD_READY, 0, 0, &e) != 0)
		_exit(101);
	_exit(-relay_serve(&r, &e));
}

static void pairs(struct quote_bench *b, int far[2])
{
	int control[2], channel[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel), 0);
	b->control = control[0];
	b->channel = channel[0];
	far[0] = control[1];
	far[1] = channel[1];
}

void quote_bench_fork(struct quote_bench *b, int timeout_ms, int interval_ms)
{
	int far[2];

	pairs(b, far);
	b->pid = fork();
	assert_true(b->pid >= 0);
	if (b->pid == 0) {
		close(b->control);
		close(b->channel);
		close(b->listener);
		serve(b, far[0], far[1], timeout_ms, interval_ms);
	}
	close(far[0]);
	close(far[1]);
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

static void __attribute__((noreturn)) become(int program, char *const argv[],
					     const int fds[CHILD_FDS])
{
	int high[CHILD_FDS];

	program = fcntl(program, F_DUPFD_CLOEXEC, 100);
	for (int i = 0; i < CHILD_FDS; i++)
		high[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 100);
	for (int i = 0; i < CHILD_FDS; i++)
		if (dup2(high[i], 3 + i) < 0)
			_exit(103);
	if (dup2(high[2], 2) < 0) /* the log is standard error, too */
		_exit(103);
	drop_privileges();
	execveat(program, "", argv, environ, AT_EMPTY_PATH);
	_exit(104);
}

void quote_bench_exec(struct quote_bench *b, char *const argv[])
{
	const char *build = getenv("PAVISE_BUILD");
	char path[512];
	int far[2];

	snprintf(path, sizeof(path), "%s/bin/pavise-quote", build != NULL ? build : "build");
	int program = open(path, O_PATH | O_CLOEXEC);
	assert_true(program >= 0);
	pairs(b, far);
	const int fds[CHILD_FDS] = { far[0], far[1], b->log, b->dir };
	b->pid = fork();
	assert_true(b->pid >= 0);
	if (b->pid == 0)
		become(program, argv, fds);
	close(program);
	close(far[0]);
	close(far[1]);
}

static void await_record(struct quote_bench *b, enum record_type type)
{
	struct pollfd p = { .fd = b->control, .events = POLLIN };
	struct record r = { 0 };
	struct err e = { 0 };

	assert_int_equal(poll(&p, 1, WAIT_MS), 1);
	if (record_receive(b->control, "relay", &r, &e) != 1) {
		char text[512] = { 0 };

		assert_true(pread(b->log, text, sizeof(text) - 1, 0) >= 0);
		fail_msg("relay ended: %s", text);
	}
	assert_int_equal(r.type, type);
}

void quote_bench_seal(struct quote_bench *b)
{
	struct err e = { 0 };

	await_record(b, RECORD_READY);
	assert_int_equal(record_send(b->control, RECORD_SEAL, 0, 0, &e), 0);
	await_record(b, RECORD_SEALED);
}

int quote_bench_stop(struct quote_bench *b)
{
	struct err e = { 0 };
	int status = -1;

	(void)record_send(b->control, RECORD_STOP, 0, 0, &e);
	for (int i = 0; i < WAIT_MS / 10; i++) {
		if (waitpid(b->pid, &status, WNOHANG) == b->pid) {
			b->pid = 0;
			return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
		}
		usleep(10000);
	}
	fail_msg("still running");
	return -1;
}

void quote_bench_close(struct quote_bench *b)
{
	if (b->pid > 0) {
		kill(b->pid, SIGKILL);
		waitpid(b->pid, NULL, 0);
	}
	unlinkat(b->dir, BENCH_SOCKET, 0);
	rmdir(b->folder);
	const int fds[] = { b->control, b->channel, b->log, b->dir, b->listener };
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	free(b);
}

void quote_bench_ask(struct quote_bench *b, uint32_t id, uint8_t fill)
{
	struct quote_request q = { .magic = QUOTE_MAGIC, .id = id };

	memset(q.report, fill, sizeof(q.report));
	assert_int_equal(send(b->channel, &q, sizeof(q), MSG_NOSIGNAL), sizeof(q));
}

enum quote_status quote_bench_answer(struct quote_bench *b, uint32_t *id, uint8_t *quote,
				     size_t *size)
{
	static uint8_t message[sizeof(struct quote_answer) + QUOTE_SIZE_MAX + 1];
	struct pollfd p = { .fd = b->channel, .events = POLLIN };
	struct quote_answer head;

	assert_int_equal(poll(&p, 1, WAIT_MS), 1);
	ssize_t n = recv(b->channel, message, sizeof(message), 0);
	assert_true(n >= (ssize_t)sizeof(head));
	memcpy(&head, message, sizeof(head));
	assert_int_equal(head.magic, QUOTE_MAGIC);
	assert_int_equal(head.size, (size_t)n - sizeof(head));
	if (head.status != QUOTE_OK)
		assert_int_equal(head.size, 0);
	*id = head.id;
	*size = head.size;
	if (quote != NULL)
		memcpy(quote, message + sizeof(head), head.size);
	return (enum quote_status)head.status;
}

int quote_bench_accept(struct quote_bench *b, uint8_t *fill)
{
	struct pollfd p = { .fd = b->listener, .events = POLLIN };
	uint8_t got[QGS_REQUEST_SIZE], want[QGS_REQUEST_SIZE], report[QUOTE_REPORT_SIZE];

	assert_int_equal(poll(&p, 1, WAIT_MS), 1);
	int fd = accept4(b->listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(recv(fd, got, sizeof(got), MSG_WAITALL), sizeof(got));
	*fill = got[sizeof(got) - 1];
	memset(report, *fill, sizeof(report));
	qgs_request(report, want);
	assert_memory_equal(got, want, sizeof(want));
	return fd;
}

size_t quote_bench_good(uint8_t *out, const uint8_t *quote, size_t size)
{
	struct writer w = writer_over(out, QGS_ANSWER_MAX);

	write_be32(&w, (uint32_t)(QGS_FIXED + size));
	write_le16(&w, 1); /* version 1.1 */
	write_le16(&w, 1);
	write_le32(&w, 1); /* GET_QUOTE_RESP */
	write_le32(&w, (uint32_t)(QGS_FIXED + size));
	write_le32(&w, 0); /* error */
	write_le32(&w, 0); /* selected id */
	write_le32(&w, (uint32_t)size);
	write_copy(&w, quote, size);
	assert_false(w.bad);
	return w.pos;
}

void quote_bench_send(int fd, const uint8_t *bytes, size_t size)
{
	assert_int_equal(send(fd, bytes, size, MSG_NOSIGNAL), size);
}

bool quote_bench_logged(const struct quote_bench *b, const char *text)
{
	char log[8192] = { 0 };

	assert_true(pread(b->log, log, sizeof(log) - 1, 0) >= 0);
	return strstr(log, text) != NULL;
}
