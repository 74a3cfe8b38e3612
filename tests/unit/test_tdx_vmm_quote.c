/* Quotes of a trust domain: what the guest may ask, what the relay may answer, and that neither
 * makes the other wait. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/checked_mutex.h"
#include "tests/unit/tdx_vm.h"
#include "vmm/tee/private_memory.h"
#include "vmm/tee/tdx_exits.h"
#include "vmm/tee/tdx_quote.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define MEMORY (160ull << 20)
#define BUFFER 0x400000ull
#define SIZE   8192ull

struct buffer {
	uint64_t version, status;
	uint32_t in_len, out_len;
	uint8_t data[SIZE - 24];
};

static struct vcpu *v;
static struct buffer buffer; /* as it was read last */

static void share(uint64_t gpa, uint64_t pages)
{
	assert_int_equal(private_memory_convert(&tm.vm.private_memory, gpa, pages, false), 0);
}

static void set_up(bool relay)
{
	tdx_vm_begin(MEMORY, 2, relay);
	memset(&tm.vm.tdx, 0xFF, sizeof(tm.vm.tdx)); /* what a start leaves out shows */
	assert_int_equal(tdx_vm_create(), 0);
	assert_int_equal(tdx_vm_vcpus(), 0);
	v = &tm.vm.vcpu[1];
	share(BUFFER, 64);
}

static int begin(void **state)
{
	(void)state;
	set_up(true);
	return 0;
}

static int end(void **state)
{
	(void)state;
	tdx_vm_end();
	return 0;
}

static void write_request(uint64_t gpa, uint64_t version, uint32_t in_len)
{
	struct buffer b = { .version = version, .in_len = in_len, .out_len = 77 };

	memset(b.data, 0x5A, sizeof(b.data));
	assert_int_equal(gpa_write(&tm.vm.memory, gpa, &b, sizeof(b)), 0);
}

static const struct buffer *read_buffer(uint64_t gpa)
{
	assert_int_equal(gpa_read(&tm.vm.memory, gpa, &buffer, sizeof(buffer)), 0);
	return &buffer;
}

static uint64_t call(uint64_t gpa, uint64_t size)
{
	struct uapi_tdx_exit x = { .nr = UAPI_TDVMCALL_GET_QUOTE,
				   .ret = UAPI_TDVMCALL_UNSUPPORTED };

	x.quote.gpa = gpa;
	x.quote.size = size;
	v->run->exit_reason = UAPI_EXIT_TDX;
	memcpy((uint8_t *)v->run + UAPI_RUN_TDX_OFFSET, &x, sizeof(x));
	assert_true(tdx_exit(v, 0));
	memcpy(&x, (uint8_t *)v->run + UAPI_RUN_TDX_OFFSET, sizeof(x));
	return x.ret;
}

static uint64_t ask(uint64_t gpa)
{
	write_request(gpa, 1, 1024);
	return call(gpa, SIZE);
}

/* What the relay gets next; 0 bytes when there is nothing. */
static ssize_t relay_read(struct quote_request *out)
{
	return recv(tm.relay, out, sizeof(*out), MSG_DONTWAIT);
}

static uint32_t relay_id(void)
{
	struct quote_request r;

	assert_int_equal(relay_read(&r), sizeof(r));
	assert_int_equal(r.magic, QUOTE_MAGIC);
	return r.id;
}

static void relay_says(uint32_t id, uint32_t status, uint32_t size, size_t sent, uint32_t magic)
{
	static struct {
		struct quote_answer head;
		uint8_t quote[QUOTE_SIZE_MAX + 64];
	} a;

	a.head = (struct quote_answer){ magic, id, status, size };
	memset(a.quote, 0xAB, sizeof(a.quote));
	assert_int_equal(send(tm.relay, &a, sent, 0), sent);
	errno = EAGAIN; /* of an earlier call: means nothing */
	tdx_quote_wake(&tm.vm);
}

static void relay_answers(uint32_t id, uint32_t status, uint32_t size)
{
	relay_says(id, status, size, sizeof(struct quote_answer) + size, QUOTE_MAGIC);
}

static void a_report_goes_out_and_a_quote_comes_in(void **state)
{
	struct quote_request r;

	(void)state;
	assert_true(ask(BUFFER) == UAPI_TDVMCALL_SUCCESS);
	assert_true(read_buffer(BUFFER)->status == TDX_QUOTE_IN_FLIGHT);
	assert_int_equal(buffer.out_len, 77); /* not before the answer */
	assert_int_equal(relay_read(&r), sizeof(r));
	for (unsigned i = 0; i < sizeof(r.report); i++)
		assert_int_equal(r.report[i], 0x5A);
	relay_answers(r.id, QUOTE_OK, 5000);
	assert_true(read_buffer(BUFFER)->status == TDX_QUOTE_DONE);
	assert_int_equal(buffer.out_len, 5000);
	assert_int_equal(buffer.data[0], 0xAB);
	assert_int_equal(buffer.data[4999], 0xAB);
	assert_int_equal(buffer.data[5000], 0x5A);
	assert_int_equal(buffer.version, 1);
	assert_int_equal(buffer.in_len, 1024);
	assert_true(ask(BUFFER) == UAPI_TDVMCALL_SUCCESS);
	assert_int_equal(relay_id(), r.id + 1);
	relay_answers(r.id + 1, QUOTE_OK, 1);
	assert_true(read_buffer(BUFFER)->status == TDX_QUOTE_DONE);
	assert_int_equal(buffer.out_len, 1);
	assert_int_equal(buffer.data[0], 0xAB);
}

/* What goes out is our copy; the guest's later writes reach nobody. */
static void the_report_is_copied_once(void **state)
{
	struct quote_request r;

	(void)state;
	assert_true(ask(BUFFER) == UAPI_TDVMCALL_SUCCESS);
	write_request(BUFFER, 9, 9);
	assert_int_equal(relay_read(&r), sizeof(r));
	assert_int_equal(r.report[1023], 0x5A);
	relay_answers(r.id, QUOTE_OK, 100);
	assert_true(read_buffer(BUFFER)->status == TDX_QUOTE_DONE);
}

static void buffers_that_are_none_are_refused(void **state)
{
	static const struct {
		const char *what;
		uint64_t gpa, size;
	} cases[] = {
		{ "unaligned", BUFFER + 8, SIZE },
		{ "no size", BUFFER, 0 },
		{ "size no multiple", BUFFER, 5000 },
		{ "too large", BUFFER, TDX_QUOTE_BUFFER_MAX + 4096 },
		{ "largest number", BUFFER, 0xFFFFFFFFFFFFF000 },
		{ "private", 0x800000, SIZE },
		{ "begins private", BUFFER - 4096, SIZE },
		{ "ends private", BUFFER + 0x3F000, SIZE },
		{ "no RAM", MEMORY, SIZE },
		{ "ends behind RAM", MEMORY - 4096, SIZE },
		{ "wraps", 0xFFFFFFFFFFFFF000, SIZE },
		{ "the shared bit left in", BUFFER | 1ull << TDX_S_BIT, SIZE },
		{ "the reset page", FW_RESET_PAGE, 4096 },
	};
	struct quote_request r;

	(void)state;
	share(MEMORY - 4096, 1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		write_request(BUFFER, 1, 1024);
		if (call(cases[i].gpa, cases[i].size) != UAPI_TDVMCALL_INVALID)
			fail_msg("%s", cases[i].what);
		if (relay_read(&r) > 0)
			fail_msg("%s: reached the relay", cases[i].what);
		assert_true(read_buffer(BUFFER)->status == 0);
	}
	assert_true(call(BUFFER, TDX_QUOTE_BUFFER_MAX) == UAPI_TDVMCALL_SUCCESS);
}

static void nonsense_in_the_buffer_is_an_error(void **state)
{
	static const struct {
		uint64_t version;
		uint32_t in_len;
	} cases[] = {
		{ 0, 1024 }, { 2, 1024 }, { 1ull << 32 | 1, 1024 }, { 1, 0 }, { 1, 1023 },
		{ 1, 1025 }, { 1, SIZE }, { 1, UINT32_MAX },
	};
	struct quote_request r;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		write_request(BUFFER, cases[i].version, cases[i].in_len);
		assert_true(call(BUFFER, SIZE) == UAPI_TDVMCALL_SUCCESS);
		assert_true(read_buffer(BUFFER)->status == TDX_QUOTE_ERROR);
		assert_int_equal(buffer.out_len, 0);
		assert_true(relay_read(&r) < 0);
	}
}

static void without_a_relay_the_service_is_unavailable(void **state)
{
	(void)state;
	tdx_vm_end();
	set_up(false);
	assert_int_equal(tdx_quote_fd(&tm.vm), -1);
	assert_true(ask(BUFFER) == UAPI_TDVMCALL_SUCCESS);
	assert_true(read_buffer(BUFFER)->status == TDX_QUOTE_UNAVAILABLE);
	assert_int_equal(buffer.out_len, 0);
	assert_true(tdx_quote_notify(v, 50) == UAPI_TDVMCALL_UNSUPPORTED);
}

static void outstanding_requests_are_bounded(void **state)
{
	uint32_t id[QUOTE_OUTSTANDING_MAX];

	(void)state;
	for (unsigned i = 0; i < QUOTE_OUTSTANDING_MAX; i++) {
		assert_true(ask(BUFFER + i * SIZE) == UAPI_TDVMCALL_SUCCESS);
		id[i] = relay_id();
	}
	assert_true(ask(BUFFER + 10 * SIZE) == UAPI_TDVMCALL_RETRY);
	assert_true(read_buffer(BUFFER + 10 * SIZE)->status == 0);
	relay_answers(id[2], QUOTE_OK, 10); /* in any order */
	assert_true(read_buffer(BUFFER + 2 * SIZE)->status == TDX_QUOTE_DONE);
	assert_true(read_buffer(BUFFER)->status == TDX_QUOTE_IN_FLIGHT);
	assert_true(ask(BUFFER + 10 * SIZE) == UAPI_TDVMCALL_SUCCESS);
	assert_true(read_buffer(BUFFER + 10 * SIZE)->status == TDX_QUOTE_IN_FLIGHT);
}

static void the_relays_refusals_reach_the_guest(void **state)
{
	(void)state;
	ask(BUFFER);
	relay_answers(relay_id(), QUOTE_UNAVAILABLE, 0);
	assert_true(read_buffer(BUFFER)->status == TDX_QUOTE_UNAVAILABLE);
	ask(BUFFER);
	relay_answers(relay_id(), QUOTE_FAILED, 0);
	assert_true(read_buffer(BUFFER)->status == TDX_QUOTE_ERROR);
	assert_int_equal(buffer.out_len, 0);
	assert_true(tdx_quote_fd(&tm.vm) >= 0);
}

static void a_quote_larger_than_the_buffer_is_an_error(void **state)
{
	(void)state;
	write_request(BUFFER, 1, 1024);
	assert_true(call(BUFFER, 4096) == UAPI_TDVMCALL_SUCCESS);
	relay_answers(relay_id(), QUOTE_OK, 4096 - 24 + 1);
	assert_true(read_buffer(BUFFER)->status == TDX_QUOTE_ERROR);
	assert_int_equal(buffer.data[0], 0x5A);
	write_request(BUFFER, 1, 1024);
	assert_true(call(BUFFER, 4096) == UAPI_TDVMCALL_SUCCESS);
	relay_answers(relay_id(), QUOTE_OK, 4096 - 24);
	assert_true(read_buffer(BUFFER)->status == TDX_QUOTE_DONE);
	assert_int_equal(buffer.data[4096 - 24 - 1], 0xAB);
	assert_int_equal(buffer.data[4096 - 24], 0x5A); /* what lies behind */
}

struct breach {
	const char *what;
	size_t sent;
	uint32_t id_xor, status, size, magic;
};

static const struct breach breaches[] = {
	{ "another id", 26, 1, QUOTE_OK, 10, QUOTE_MAGIC },
	{ "wrong magic", 26, 0, QUOTE_OK, 10, QUOTE_MAGIC ^ 1 },
	{ "unknown status", 16, 0, 3, 0, QUOTE_MAGIC },
	{ "no quote", 16, 0, QUOTE_OK, 0, QUOTE_MAGIC },
	{ "a quote with an error", 26, 0, QUOTE_FAILED, 10, QUOTE_MAGIC },
	{ "shorter than said", 26, 0, QUOTE_OK, 11, QUOTE_MAGIC },
	{ "longer than said", 26, 0, QUOTE_OK, 9, QUOTE_MAGIC },
	{ "short head", 15, 0, QUOTE_FAILED, 0, QUOTE_MAGIC },
	{ "too large", 16 + QUOTE_SIZE_MAX + 1, 0, QUOTE_OK, QUOTE_SIZE_MAX + 1, QUOTE_MAGIC },
	{ "longer than any", 16 + QUOTE_SIZE_MAX + 1, 0, QUOTE_OK, QUOTE_SIZE_MAX, QUOTE_MAGIC },
	{ "one byte", 1, 0, QUOTE_OK, 10, QUOTE_MAGIC },
	{ "much too large", 16 + QUOTE_SIZE_MAX + 40, 0, QUOTE_OK, QUOTE_SIZE_MAX + 40, QUOTE_MAGIC },
};

static void a_relay_that_breaks_the_framing_is_never_asked_again(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(breaches) / sizeof(breaches[0]); i++) {
		const struct breach *b = &breaches[i];

		tdx_vm_end();
		set_up(true);
		ask(BUFFER);
		ask(BUFFER + SIZE);
		relay_id();
		relay_says(relay_id() ^ (b->id_xor ? 0x100 : 0), b->status, b->size, b->sent,
			   b->magic);
		if (tdx_quote_fd(&tm.vm) != -1)
			fail_msg("%s: still believed", b->what);
		assert_non_null(strstr(tdx_vm_log(), "sent an answer to no request"));
		assert_true(read_buffer(BUFFER)->status == TDX_QUOTE_UNAVAILABLE);
		assert_true(read_buffer(BUFFER + SIZE)->status == TDX_QUOTE_UNAVAILABLE);
		assert_int_equal(buffer.data[0], 0x5A);
		assert_true(ask(BUFFER) == UAPI_TDVMCALL_SUCCESS);
		assert_true(read_buffer(BUFFER)->status == TDX_QUOTE_UNAVAILABLE);
		tdx_quote_wake(&tm.vm); /* nothing any more */
	}
}

/* The request behind the last is none, whatever lies there. */
static void an_answer_touches_requests_alone(void **state)
{
	const struct tdx_quotes *q = &tm.vm.tdx.quotes;
	const int notify_fd = q->notify_fd;

	(void)state;
	ask(BUFFER);
	relay_answers(q->notify_gsi, QUOTE_OK, 10);
	assert_int_equal(tdx_quote_fd(&tm.vm), -1);
	assert_int_equal(q->notify_fd, notify_fd);
}

/* recv for the code under test, with the lock held: it is interrupted, or fails. */
static int recv_errno;

ssize_t __real_recv(int fd, void *out, size_t size, int flags);
ssize_t __wrap_recv(int fd, void *out, size_t size, int flags);

ssize_t __wrap_recv(int fd, void *out, size_t size, int flags)
{
	if (fd != tm.relay)
		assert_true(mutex_is_locked(&tm.vm.tdx.quotes.lock));
	if (recv_errno == 0)
		return __real_recv(fd, out, size, flags);
	errno = recv_errno;
	return -1;
}

static void a_wake_for_nothing_is_none(void **state)
{
	static const struct {
		int errnum;
		bool gone;
	} cases[] = { { 0, false }, { EINTR, false }, { EAGAIN, false }, { ECONNRESET, true } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		tdx_vm_end();
		set_up(true);
		ask(BUFFER);
		recv_errno = cases[i].errnum;
		tdx_quote_wake(&tm.vm);
		recv_errno = 0;
		assert_int_equal(tdx_quote_fd(&tm.vm) == -1, cases[i].gone);
		assert_true(read_buffer(BUFFER)->status ==
			    (cases[i].gone ? TDX_QUOTE_UNAVAILABLE : TDX_QUOTE_IN_FLIGHT));
	}
}

static void a_relay_that_is_gone_leaves_no_request_behind(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		tdx_vm_end();
		set_up(true);
		ask(BUFFER);
		if (i == 1) /* the end of the stream instead of an error */
			relay_id();
		close(tm.relay);
		tm.relay = -1;
		errno = EAGAIN;
		tdx_quote_wake(&tm.vm);
		assert_true(read_buffer(BUFFER)->status == TDX_QUOTE_UNAVAILABLE);
		assert_int_equal(tdx_quote_fd(&tm.vm), -1);
		assert_non_null(strstr(tdx_vm_log(), "pavise-quote is gone"));
	}
}

static void a_relay_that_does_not_read_makes_no_vcpu_wait(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < 10000; i++) {
		char filler[1024] = "";

		if (send(tm.config.quote, filler, sizeof(filler), MSG_DONTWAIT) < 0)
			break;
	}
	assert_in_range(i, 1, 9999);
	for (i = 0; i <= QUOTE_OUTSTANDING_MAX; i++) { /* no place is lost */
		assert_true(ask(BUFFER) == UAPI_TDVMCALL_SUCCESS);
		assert_true(read_buffer(BUFFER)->status == TDX_QUOTE_UNAVAILABLE);
	}
	assert_true(tdx_quote_fd(&tm.vm) >= 0); /* it may read again */
}

static void a_buffer_that_became_private_gets_nothing(void **state)
{
	(void)state;
	ask(BUFFER);
	assert_int_equal(private_memory_convert(&tm.vm.private_memory, BUFFER + 4096, 1, true), 0);
	relay_answers(relay_id(), QUOTE_OK, 100);
	assert_true(read_buffer(BUFFER)->status == TDX_QUOTE_IN_FLIGHT);
	assert_int_equal(buffer.data[0], 0x5A);
	assert_non_null(strstr(tdx_vm_log(), "took its buffer"));
	for (unsigned i = 0; i < QUOTE_OUTSTANDING_MAX; i++) /* its place is free again */
		assert_true(ask(BUFFER + (i + 2) * SIZE) == UAPI_TDVMCALL_SUCCESS);
}

static uint64_t interrupts(void)
{
	uint64_t count = 0;

	return read(tm.vm.tdx.quotes.notify_fd, &count, sizeof(count)) == 8 ? count : 0;
}

static void a_guest_that_asked_is_interrupted(void **state)
{
	(void)state;
	ask(BUFFER);
	relay_answers(relay_id(), QUOTE_OK, 100);
	assert_int_equal(interrupts(), 0); /* it polls */
	assert_true(tdx_quote_notify(v, 0x55) == UAPI_TDVMCALL_SUCCESS);
	assert_int_equal(fake_count("routing 60 1"), 1);
	assert_int_equal(fake_tdx.route.gsi, tm.vm.tdx.quotes.notify_gsi);
	assert_true(fake_tdx.route.address == 0xFEE01000); /* local APIC 1 */
	assert_int_equal(fake_tdx.route.data, 0x55);
	ask(BUFFER);
	assert_int_equal(interrupts(), 0);
	relay_answers(relay_id(), QUOTE_OK, 100);
	assert_int_equal(interrupts(), 1);
	ask(BUFFER);
	relay_answers(relay_id(), QUOTE_FAILED, 0);
	assert_int_equal(interrupts(), 1);
	assert_true(tdx_quote_notify(v, 0x55) == UAPI_TDVMCALL_SUCCESS); /* the same again */
	assert_int_equal(fake_count("routing"), 1);
}

/* The counter's value is how many came: none is lost, one read takes all. */
static void interrupts_add_up(void **state)
{
	const uint64_t most = UINT64_MAX - 1;
	const int fd = tm.vm.tdx.quotes.notify_fd;

	(void)state;
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_true(tdx_quote_notify(v, 0x55) == UAPI_TDVMCALL_SUCCESS);
	for (unsigned i = 0; i < 2; i++) {
		ask(BUFFER);
		relay_answers(relay_id(), QUOTE_OK, 100);
	}
	assert_int_equal(interrupts(), 2);
	assert_int_equal(interrupts(), 0);
	assert_int_equal(write(fd, &most, sizeof(most)), sizeof(most)); /* it is full */
	ask(BUFFER);
	relay_answers(relay_id(), QUOTE_OK, 100);
	assert_true(read_buffer(BUFFER)->status == TDX_QUOTE_DONE);
	assert_non_null(strstr(tdx_vm_log(), "cannot raise the guest's interrupt"));
}

static void an_interrupt_that_kvm_refuses_is_not_raised(void **state)
{
	(void)state;
	fake.script[0] = (struct fake_answer){ "routing", 1, -EINVAL, 0, 0, false };
	assert_true(tdx_quote_notify(v, 0x55) == UAPI_TDVMCALL_UNSUPPORTED);
	assert_non_null(strstr(tdx_vm_log(), "quote: kvm: no routes"));
	ask(BUFFER);
	relay_answers(relay_id(), QUOTE_OK, 100);
	assert_int_equal(interrupts(), 0);
}

static void a_relay_that_cannot_be_used_is_refused(void **state)
{
	(void)state;
	assert_int_equal(tdx_quote_init(&tm.vm, 999, &tm.e), -EX_HOST);
	assert_string_equal(tm.e.text, "quote: descriptor 999: Bad file descriptor");
	memset(&tm.e, 0, sizeof(tm.e));
	mutex_init_fails = true;
	assert_int_equal(tdx_quote_init(&tm.vm, tm.config.quote, &tm.e), -EX_INTERNAL);
	mutex_init_fails = false;
	assert_string_equal(tm.e.text, "quote: cannot make a lock");
}

static void a_vm_without_a_vector_or_a_descriptor_left_is_refused(void **state)
{
	struct rlimit files, none;

	(void)state;
	close(tm.vm.tdx.quotes.notify_fd);
	tm.vm.next_gsi = VM_GSI_MAX;
	assert_int_equal(tdx_quote_init(&tm.vm, tm.config.quote, &tm.e), -EX_INTERNAL);
	assert_int_equal(tm.vm.tdx.quotes.notify_fd, -1);
	tm.vm.next_gsi = VM_GSI_FIRST;
	memset(&tm.e, 0, sizeof(tm.e));
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
	none = files;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(tdx_quote_init(&tm.vm, tm.config.quote, &tm.e), -EX_HOST);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
	assert_string_equal(tm.e.text, "quote: cannot make an eventfd: Too many open files");
}

/* What the launcher set on the socket stays as it is, and writes do not block. */
static void the_relays_flags_are_kept(void **state)
{
	int pipes[2], flags;

	(void)state;
	close(tm.vm.tdx.quotes.notify_fd);
	assert_int_equal(fcntl(tm.config.quote, F_SETFL, O_APPEND), 0);
	assert_int_equal(tdx_quote_init(&tm.vm, tm.config.quote, &tm.e), 0);
	flags = fcntl(tm.config.quote, F_GETFL);
	assert_int_equal(flags & (O_APPEND | O_NONBLOCK), O_APPEND | O_NONBLOCK);
	close(tm.vm.tdx.quotes.notify_fd);
	assert_int_equal(pipe(pipes), 0); /* the flags of its reading end are 0 */
	assert_int_equal(tdx_quote_init(&tm.vm, pipes[0], &tm.e), 0);
	close(pipes[0]);
	close(pipes[1]);
}

/* The relay's, or the one of the interrupt. */
static void descriptor_zero_is_one_too(void **state)
{
	const int kept = dup(STDIN_FILENO);
	struct tdx_quotes *q = &tm.vm.tdx.quotes;

	(void)state;
	close(q->notify_fd);
	close(STDIN_FILENO);
	assert_int_equal(tdx_quote_init(&tm.vm, tm.config.quote, &tm.e), 0);
	assert_int_equal(q->notify_fd, 0);
	assert_true(tdx_quote_notify(v, 0x55) == UAPI_TDVMCALL_SUCCESS);
	for (unsigned i = 0; i < QUOTE_OUTSTANDING_MAX; i++)
		assert_true(ask(BUFFER + i * SIZE) == UAPI_TDVMCALL_SUCCESS);
	assert_true(ask(BUFFER + 10 * SIZE) == UAPI_TDVMCALL_RETRY);
	relay_answers(relay_id(), QUOTE_OK, 100);
	assert_int_equal(interrupts(), 1);

	assert_int_equal(dup2(tm.config.quote, STDIN_FILENO), STDIN_FILENO);
	assert_int_equal(tdx_quote_init(&tm.vm, STDIN_FILENO, &tm.e), 0);
	assert_int_equal(tdx_quote_fd(&tm.vm), STDIN_FILENO);
	while (relay_read(&(struct quote_request){ 0 }) > 0)
		;
	assert_true(ask(BUFFER) == UAPI_TDVMCALL_SUCCESS);
	relay_answers(relay_id(), QUOTE_OK, 100);
	assert_true(read_buffer(BUFFER)->status == TDX_QUOTE_DONE);
	ask(BUFFER);
	relay_says(relay_id(), QUOTE_OK, 10, 1, QUOTE_MAGIC);
	assert_true(read_buffer(BUFFER)->status == TDX_QUOTE_UNAVAILABLE);
	assert_int_equal(dup2(kept, STDIN_FILENO), STDIN_FILENO);
	close(kept);
}

static void vectors_of_exceptions_are_refused(void **state)
{
	static const uint64_t bad[] = { 0, 14, 31, 256, 1ull << 32 | 50, UINT64_MAX };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_true(tdx_quote_notify(v, bad[i]) == UAPI_TDVMCALL_INVALID);
	assert_int_equal(fake_count("routing"), 0);
	assert_true(tdx_quote_notify(v, 32) == UAPI_TDVMCALL_SUCCESS);
	assert_true(tdx_quote_notify(v, 255) == UAPI_TDVMCALL_SUCCESS);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_report_goes_out_and_a_quote_comes_in),
		TEST(the_report_is_copied_once),
		TEST(buffers_that_are_none_are_refused),
		TEST(nonsense_in_the_buffer_is_an_error),
		TEST(without_a_relay_the_service_is_unavailable),
		TEST(outstanding_requests_are_bounded),
		TEST(the_relays_refusals_reach_the_guest),
		TEST(a_quote_larger_than_the_buffer_is_an_error),
		TEST(a_relay_that_breaks_the_framing_is_never_asked_again),
		TEST(an_answer_touches_requests_alone),
		TEST(a_wake_for_nothing_is_none),
		TEST(a_relay_that_is_gone_leaves_no_request_behind),
		TEST(a_relay_that_does_not_read_makes_no_vcpu_wait),
		TEST(a_buffer_that_became_private_gets_nothing),
		TEST(a_guest_that_asked_is_interrupted),
		TEST(interrupts_add_up),
		TEST(an_interrupt_that_kvm_refuses_is_not_raised),
		TEST(a_relay_that_cannot_be_used_is_refused),
		TEST(a_vm_without_a_vector_or_a_descriptor_left_is_refused),
		TEST(the_relays_flags_are_kept),
		TEST(descriptor_zero_is_one_too),
		TEST(vectors_of_exceptions_are_refused),
	};

	return cmocka_run_group_tests_name("tdx_vmm_quote", tests, NULL, NULL);
}
