/* Quotes of a trust domain: what the guest may ask, what the relay may answer, and that neither
 * makes the other wait. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/tdx_vm.h"
#include "vmm/tee/private_memory.h"
#include "vmm/tee/tdx_exits.h"
#include "vmm/tee/tdx_quote.h"

#include <errno.h>
#include <string.h>
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
		assert_true(read_buffer(BUFFER)->status == TDX_QUOTE_UNAVAILABLE);
		assert_true(read_buffer(BUFFER + SIZE)->status == TDX_QUOTE_UNAVAILABLE);
		assert_int_equal(buffer.data[0], 0x5A);
		assert_true(ask(BUFFER) == UAPI_TDVMCALL_SUCCESS);
		assert_true(read_buffer(BUFFER)->status == TDX_QUOTE_UNAVAILABLE);
		tdx_quote_wake(&tm.vm); /* nothing any more */
	}
}

static void a_relay_that_is_gone_leaves_no_request_behind(void **state)
{
	(void)state;
	ask(BUFFER);
	close(tm.relay);
	tm.relay = -1;
	tdx_quote_wake(&tm.vm);
	assert_true(read_buffer(BUFFER)->status == TDX_QUOTE_UNAVAILABLE);
	assert_int_equal(tdx_quote_fd(&tm.vm), -1);
	assert_non_null(strstr(tdx_vm_log(), "pavise-quote is gone"));
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
	assert_true(ask(BUFFER) == UAPI_TDVMCALL_SUCCESS);
	assert_true(read_buffer(BUFFER)->status == TDX_QUOTE_UNAVAILABLE);
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
		TEST(a_relay_that_is_gone_leaves_no_request_behind),
		TEST(a_relay_that_does_not_read_makes_no_vcpu_wait),
		TEST(a_buffer_that_became_private_gets_nothing),
		TEST(a_guest_that_asked_is_interrupted),
		TEST(vectors_of_exceptions_are_refused),
	};

	return cmocka_run_group_tests_name("tdx_vmm_quote", tests, NULL, NULL);
}
