/* The real pavise-dev, sealed with its real filters, driven through its descriptors as the
 * launcher and the VMM do it. Needs root, since only then the capability sets can be emptied
 * as the launcher empties them, and Landlock. */
#include "tests/unit/dev_front.h"

#include "common/bytes.h"
#include "common/record.h"
#include "devices/vsock_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/landlock.h>
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
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define CHILD_FDS 4 /* control, vhost, log, disk or channel: 3..6 */
#define NOBODY 65534
#define CID 9u
#define PORT 1024u
#define DISK_SECTORS 8u
#define TX_AT (FRONT_DATA + 0x4000)

struct bench {
	struct front front;
	pid_t pid;
	int control, log, served; /* served: the disk, or the host's end of the channel */
};

static const struct vhost_offer blk_offer = { .queue_count = 1 };
static const struct vhost_offer vsock_offer = { .queue_count = 3 };

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

/* Never returns: becomes pavise-dev with fds as 3, 4, ... */
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

static void start(struct bench *b, char *const argv[], int served)
{
	const char *build = getenv("PAVISE_BUILD");
	char path[512];
	int control[2];

	snprintf(path, sizeof(path), "%s/bin/pavise-dev", build != NULL ? build : "build");
	int program = open(path, O_PATH | O_CLOEXEC);
	assert_true(program >= 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control), 0);
	b->log = memfd_create("log", MFD_CLOEXEC);
	const int fds[CHILD_FDS] = { control[1], b->front.back, b->log, served };
	b->pid = fork();
	if (b->pid == 0)
		become(program, argv, fds);
	assert_true(b->pid > 0);
	b->control = control[0];
	b->front.remote = true;
	close(program);
	close(control[1]);
}

static void await_record(struct bench *b, enum record_type type)
{
	struct pollfd p = { .fd = b->control, .events = POLLIN };
	struct record r = { 0 };
	struct err e = { 0 };

	assert_int_equal(poll(&p, 1, 5000), 1);
	if (record_receive(b->control, "device", &r, &e) != 1) {
		char text[512] = { 0 };

		assert_true(pread(b->log, text, sizeof(text) - 1, 0) >= 0);
		fail_msg("device ended: %s", text);
	}
	assert_int_equal(r.type, type);
}

static void handshake_and_seal(struct bench *b)
{
	struct err e = { 0 };

	front_setup_before_seal(&b->front);
	await_record(b, RECORD_READY);
	assert_int_equal(record_send(b->control, RECORD_SEAL, 0, 0, &e), 0);
	await_record(b, RECORD_SEALED);
	for (unsigned i = 0; i < b->front.server.offer.queue_count; i++)
		front_start_queue(&b->front, i, 0);
}

/* Waits for the end; its status as waitpid has it, or fails after 5 s. */
static int end_of(struct bench *b)
{
	int status = -1;

	for (int i = 0; i < 500; i++) {
		if (waitpid(b->pid, &status, WNOHANG) == b->pid) {
			b->pid = 0;
			return status;
		}
		usleep(10000);
	}
	fail_msg("still running");
	return -1;
}

static void close_bench(struct bench *b)
{
	if (b->pid > 0) {
		kill(b->pid, SIGKILL);
		waitpid(b->pid, NULL, 0);
	}
	front_close(&b->front);
	close(b->control);
	close(b->log);
	close(b->served);
	free(b);
}

static struct bench *open_blk(void)
{
	static char *argv[] = { "pavise-dev", "blk",    "label=none", "control=3",
				"vhost=4",    "log=5", "disk=6",     NULL };
	struct bench *b = calloc(1, sizeof(*b));
	uint8_t sector[512];

	assert_non_null(b);
	b->served = memfd_create("disk", MFD_CLOEXEC);
	for (unsigned i = 0; i < DISK_SECTORS; i++) {
		memset(sector, (int)i + 1, sizeof(sector));
		assert_int_equal(write(b->served, sector, sizeof(sector)), sizeof(sector));
	}
	front_open(&b->front, &blk_offer);
	start(b, argv, b->served);
	return b;
}

static void kick(struct bench *b, unsigned queue)
{
	const uint64_t one = 1;

	assert_int_equal(write(b->front.kick[queue], &one, sizeof(one)), sizeof(one));
}

static void await_interrupt(struct bench *b, unsigned queue)
{
	struct pollfd p = { .fd = b->front.call[queue], .events = POLLIN };

	assert_int_equal(poll(&p, 1, 5000), 1);
	assert_true(ring_interrupted(&b->front, queue));
}

static uint8_t request(struct bench *b, uint32_t type, uint64_t sector, uint32_t size)
{
	struct front *f = &b->front;
	struct writer w = writer_over(f->ram + FRONT_DATA, 16);
	uint32_t status = FRONT_DATA + 0x2000;

	write_le32(&w, type);
	write_le32(&w, 0);
	write_le64(&w, sector);
	f->ram[status] = 0xEE;
	ring_desc(f, 0, 0, FRONT_GPA + FRONT_DATA, 16, F_NEXT, size > 0 ? 1 : 2);
	ring_desc(f, 0, 1, FRONT_GPA + FRONT_DATA + 0x1000, size,
		  type == 1 ? F_NEXT : F_NEXT | F_WRITE, 2);
	ring_desc(f, 0, 2, FRONT_GPA + status, 1, F_WRITE, 0);
	ring_offer(f, 0, 0);
	kick(b, 0);
	await_interrupt(b, 0);
	return f->ram[status];
}

static void sealed_blk_serves(void **state)
{
	struct bench *b = open_blk();
	struct front *f = &b->front;
	uint8_t byte = 0;

	(void)state;
	handshake_and_seal(b);
	assert_int_equal(request(b, 0, 3, 512), 0);
	assert_int_equal(f->ram[FRONT_DATA + 0x1000 + 511], 4);
	memset(f->ram + FRONT_DATA + 0x1000, 0x77, 512);
	assert_int_equal(request(b, 1, 5, 512), 0);
	assert_int_equal(pread(b->served, &byte, 1, 5L * 512), 1);
	assert_int_equal(byte, 0x77);
	assert_int_equal(request(b, 4, 0, 0), 0);
	assert_int_equal(request(b, 8, 0, 20), 0);
	assert_int_equal(request(b, 0, DISK_SECTORS, 512), 1);
	assert_int_equal(record_send(b->control, RECORD_STOP, 0, 0, &(struct err){ 0 }), 0);
	assert_int_equal(end_of(b), 0);
	close_bench(b);
}

/* A hostile ring costs the queue, is logged once, and a reset brings it back. */
static void broken_ring_does_not_end_the_process(void **state)
{
	struct bench *b = open_blk();
	struct front *f = &b->front;
	char text[1024] = { 0 };

	(void)state;
	handshake_and_seal(b);
	ring_desc(f, 0, 0, FRONT_GPA + FRONT_DATA, 16, F_NEXT, 0);
	ring_offer(f, 0, 0);
	for (int i = 0; i < 10; i++)
		kick(b, 0);
	/* Not before it was seen broken: a stop that comes first would hide the ring. */
	for (int i = 0; i < 500 && pread(b->log, text, 1, 0) == 0; i++)
		usleep(10000);
	front_stop_queue(f, 0);
	front_start_queue(f, 0, 0);
	assert_int_equal(request(b, 0, 0, 512), 0);
	assert_true(pread(b->log, text, sizeof(text) - 1, 0) > 0);
	assert_string_equal(text, "blk: queue 0: descriptor chain loops: not served until the "
				  "driver resets it\n");
	close(b->control); /* the launcher is gone: an orderly end too */
	b->control = -1;
	assert_int_equal(end_of(b), 0);
	close_bench(b);
}

static void front_end_gone_waits_for_the_launcher(void **state)
{
	struct bench *b = open_blk();

	(void)state;
	handshake_and_seal(b);
	shutdown(b->front.sock, SHUT_RDWR);
	usleep(100000);
	assert_int_equal(waitpid(b->pid, NULL, WNOHANG), 0);
	assert_int_equal(record_send(b->control, RECORD_STOP, 0, 0, &(struct err){ 0 }), 0);
	assert_int_equal(end_of(b), 0);
	close_bench(b);
}

static void seal_before_the_handshake_is_refused(void **state)
{
	struct bench *b = open_blk();
	int status;

	(void)state;
	assert_int_equal(record_send(b->control, RECORD_SEAL, 0, 0, &(struct err){ 0 }), 0);
	status = end_of(b);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EX_INTERNAL);
	close_bench(b);
}

static void broken_front_end_ends_the_process(void **state)
{
	struct bench *b = open_blk();
	static const uint8_t zeros[64];
	int status;

	(void)state;
	handshake_and_seal(b);
	assert_int_equal(write(b->front.sock, zeros, sizeof(zeros)), sizeof(zeros));
	status = end_of(b);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EX_MALFORMED);
	close_bench(b);
}

static void sealed_vsock_bridges(void **state)
{
	static char *argv[] = { "pavise-dev", "vsock",     "label=none", "control=3", "vhost=4",
				"log=5",      "channel=6", "cid=9",      "port=1024", NULL };
	struct bench *b = calloc(1, sizeof(*b));
	struct vsock_header h = { .src_cid = CID, .dst_cid = VSOCK_HOST_CID, .src_port = 7,
				  .dst_port = PORT, .type = VSOCK_TYPE_STREAM,
				  .op = VSOCK_OP_REQUEST, .buf_alloc = 4096 };
	int channel[2];

	(void)state;
	assert_non_null(b);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel), 0);
	b->served = channel[0];
	front_open(&b->front, &vsock_offer);
	start(b, argv, channel[1]);
	close(channel[1]);
	handshake_and_seal(b);
	struct front *f = &b->front;
	for (uint16_t i = 0; i < 4; i++) {
		ring_desc(f, 0, i, FRONT_GPA + FRONT_DATA + 1024ull * i, 1024, F_WRITE, 0);
		ring_offer(f, 0, i);
	}
	ring_desc(f, 1, 0, FRONT_GPA + TX_AT, VSOCK_HEADER_SIZE, 0, 0);
	vsock_header_encode(&h, f->ram + TX_AT);
	ring_offer(f, 1, 0);
	kick(b, 1);
	await_interrupt(b, 0);
	vsock_header_decode(f->ram + FRONT_DATA, &h);
	assert_int_equal(h.op, VSOCK_OP_RESPONSE);
	assert_int_equal(write(b->served, "hello", 5), 5); /* no kick: the channel wakes it */
	await_interrupt(b, 0);
	assert_memory_equal(f->ram + FRONT_DATA + 1024 + VSOCK_HEADER_SIZE, "hello", 5);
	assert_int_equal(record_send(b->control, RECORD_STOP, 0, 0, &(struct err){ 0 }), 0);
	assert_int_equal(end_of(b), 0);
	close_bench(b);
}

static void arguments_are_checked(void **state)
{
	static char *const table[][12] = {
		{ "pavise-dev", NULL },
		{ "pavise-dev", "net", NULL },
		{ "pavise-dev", "blk", "label=none", "control=3", "vhost=4", "log=5", NULL },
		{ "pavise-dev", "blk", "label=none", "control=3", "vhost=4", "log=5", "disk=6",
		  "disk=6", NULL },
		{ "pavise-dev", "blk", "label=none", "control=3", "vhost=4", "log=5", "disk=6",
		  "cid=3", NULL },
		{ "pavise-dev", "blk", "label=none", "control=3", "vhost=4", "log=5", "disk=99",
		  NULL },
		{ "pavise-dev", "blk", "label=none", "control=3", "vhost=4", "log=5", "disk=6",
		  "readonly=2", NULL },
		{ "pavise-dev", "vsock", "label=none", "control=3", "vhost=4", "log=5",
		  "channel=6", "cid=2", "port=1024", NULL },
		{ "pavise-dev", "vsock", "label=none", "control=3", "vhost=4", "log=5",
		  "channel=6", "cid=3", "port=0", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct bench *b = calloc(1, sizeof(*b));

		assert_non_null(b);
		b->served = memfd_create("disk", MFD_CLOEXEC);
		front_open(&b->front, &blk_offer);
		start(b, table[i], b->served);
		int status = end_of(b);
		if (!WIFEXITED(status) || WEXITSTATUS(status) != EX_USAGE_ERROR)
			fail_msg("case %zu: status %#x", i, (unsigned)status);
		close_bench(b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sealed_blk_serves),
		cmocka_unit_test(broken_ring_does_not_end_the_process),
		cmocka_unit_test(front_end_gone_waits_for_the_launcher),
		cmocka_unit_test(seal_before_the_handshake_is_refused),
		cmocka_unit_test(broken_front_end_ends_the_process),
		cmocka_unit_test(sealed_vsock_bridges),
		cmocka_unit_test(arguments_are_checked),
	};

	if (missing() != NULL) {
		printf("1..0 # SKIP %s\n", missing());
		return 0;
	}
	return cmocka_run_group_tests_name("dev_process", tests, NULL, NULL);
}
