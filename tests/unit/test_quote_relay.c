/* The relay between a VMM and a quote generation service that misbehaves as the test says. */
#include "tests/unit/quote_bench.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define LONG_MS 8000
#define SHORT_MS 300

static uint8_t message[QGS_ANSWER_MAX + 16], quote[QUOTE_SIZE_MAX], got[QUOTE_SIZE_MAX];

static struct quote_bench *running(int timeout_ms, int interval_ms)
{
	struct quote_bench *b = quote_bench_open();

	quote_bench_fork(b, timeout_ms, interval_ms);
	quote_bench_seal(b);
	return b;
}

static void finish(struct quote_bench *b)
{
	assert_int_equal(quote_bench_stop(b), 0);
	quote_bench_close(b);
}

static void expect(struct quote_bench *b, uint32_t want_id, enum quote_status want)
{
	uint32_t id = 0;
	size_t size = 0;

	assert_int_equal(quote_bench_answer(b, &id, NULL, &size), want);
	assert_int_equal(id, want_id);
}

/* One whole exchange, answered well. */
static void serve_one(struct quote_bench *b, uint32_t id, uint8_t fill)
{
	uint8_t seen = 0;
	size_t size = 0;
	uint32_t got_id = 0;

	memset(quote, fill ^ 0xFF, 5000);
	int fd = quote_bench_accept(b, &seen);
	assert_int_equal(seen, fill);
	quote_bench_send(fd, message, quote_bench_good(message, quote, 5000));
	assert_int_equal(quote_bench_answer(b, &got_id, got, &size), QUOTE_OK);
	assert_int_equal(got_id, id);
	assert_int_equal(size, 5000);
	assert_memory_equal(got, quote, size);
	/* The relay is done with the connection, and sent one request on it. */
	assert_int_equal(recv(fd, message, 1, 0), 0);
	close(fd);
}

static void quotes_are_relayed(void **state)
{
	struct quote_bench *b = running(LONG_MS, 0);

	(void)state;
	for (uint32_t i = 1; i <= 5; i++) {
		quote_bench_ask(b, 100 + i, (uint8_t)i);
		serve_one(b, 100 + i, (uint8_t)i);
	}
	finish(b);
}

static void the_largest_quote_fits(void **state)
{
	struct quote_bench *b = running(LONG_MS, 0);
	uint32_t id;
	uint8_t fill;
	size_t size = 0;

	(void)state;
	quote_bench_ask(b, 1, 7);
	int fd = quote_bench_accept(b, &fill);
	quote_bench_send(fd, message, quote_bench_good(message, quote, QUOTE_SIZE_MAX));
	assert_int_equal(quote_bench_answer(b, &id, got, &size), QUOTE_OK);
	assert_int_equal(size, QUOTE_SIZE_MAX);
	close(fd);
	finish(b);
}

/* One connection at a time, in the order asked. */
static void requests_wait_for_each_other(void **state)
{
	struct quote_bench *b = running(LONG_MS, 0);
	struct pollfd p = { .fd = b->listener, .events = POLLIN };
	uint8_t fill = 0;

	(void)state;
	for (uint32_t i = 0; i < QUOTE_OUTSTANDING_MAX; i++)
		quote_bench_ask(b, i, (uint8_t)(0x10 + i));
	int fd = quote_bench_accept(b, &fill);
	assert_int_equal(fill, 0x10);
	assert_int_equal(poll(&p, 1, 200), 0);
	quote_bench_send(fd, message, quote_bench_good(message, quote, 10));
	expect(b, 0, QUOTE_OK);
	close(fd);
	for (uint32_t i = 1; i < QUOTE_OUTSTANDING_MAX; i++)
		serve_one(b, i, (uint8_t)(0x10 + i));
	finish(b);
}

static int64_t ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void the_rate_is_limited(void **state)
{
	struct quote_bench *b = running(LONG_MS, 250);

	(void)state;
	int64_t start = ms();
	for (uint32_t i = 0; i < 4; i++)
		quote_bench_ask(b, i, 1);
	for (uint32_t i = 0; i < 4; i++)
		serve_one(b, i, 1);
	assert_true(ms() - start >= 3L * 250);
	finish(b);
}

/* An answer byte by byte is an answer still. */
static void short_reads(void **state)
{
	struct quote_bench *b = running(LONG_MS, 0);
	uint8_t fill;

	(void)state;
	quote_bench_ask(b, 1, 7);
	int fd = quote_bench_accept(b, &fill);
	size_t size = quote_bench_good(message, quote, 40);
	for (size_t i = 0; i < size; i++) {
		quote_bench_send(fd, message + i, 1);
		if (i % 10 == 0)
			usleep(2000);
	}
	expect(b, 1, QUOTE_OK);
	close(fd);
	finish(b);
}

/* What comes after the answer is not read. */
static void trailing_bytes(void **state)
{
	struct quote_bench *b = running(LONG_MS, 0);
	uint8_t fill;
	size_t size = 0;
	uint32_t id;

	(void)state;
	quote_bench_ask(b, 1, 7);
	int fd = quote_bench_accept(b, &fill);
	quote_bench_send(fd, message, quote_bench_good(message, quote, 40) + 8);
	assert_int_equal(quote_bench_answer(b, &id, NULL, &size), QUOTE_OK);
	assert_int_equal(size, 40);
	close(fd);
	finish(b);
}

/* Each way to fail is an answer of its own, and the next request is served. */
static void bad_answers(void **state)
{
	struct quote_bench *b = running(LONG_MS, 0);
	uint8_t fill;

	(void)state;
	for (uint32_t i = 0; i < 4; i++) {
		quote_bench_ask(b, i, 7);
		int fd = quote_bench_accept(b, &fill);
		size_t size = quote_bench_good(message, quote, 40);
		switch (i) {
		case 0: /* far too long, by its length */
			message[0] = 0x81;
			break;
		case 1: /* another version */
			message[4] = 2;
			break;
		case 2: /* an error: the 16 bytes of a header */
			message[3] = message[12] = 16;
			memcpy(message + 16, "\x01\x20\x01\x00", 4);
			size = 20;
			break;
		default: /* ends in the middle */
			size -= 1;
			break;
		}
		quote_bench_send(fd, message, size);
		close(fd);
		expect(b, i, QUOTE_FAILED);
	}
	assert_true(quote_bench_logged(b, "not 16 to 16408"));
	assert_true(quote_bench_logged(b, "version 2.1, not 1.1"));
	assert_true(quote_bench_logged(b, "error 0x12001: an unexpected error"));
	assert_true(quote_bench_logged(b, "ended the connection after 67 bytes"));
	quote_bench_ask(b, 9, 3);
	serve_one(b, 9, 3);
	finish(b);
}

static void a_slow_service_is_given_up(void **state)
{
	struct quote_bench *b = running(SHORT_MS, 0);
	uint8_t fill;

	(void)state;
	quote_bench_ask(b, 1, 7);
	int fd = quote_bench_accept(b, &fill);
	quote_bench_send(fd, message, quote_bench_good(message, quote, 40) - 1);
	expect(b, 1, QUOTE_UNAVAILABLE);
	assert_true(quote_bench_logged(b, "no quote after"));
	close(fd);
	/* One that drips cannot stretch it either. */
	quote_bench_ask(b, 2, 7);
	fd = quote_bench_accept(b, &fill);
	quote_bench_good(message, quote, 5000);
	size_t sent = 0;
	while (sent < 100 && send(fd, message + sent, 1, MSG_NOSIGNAL) == 1) {
		sent++;
		usleep(20000);
	}
	assert_true(sent < 100); /* it has hung up while it was still hearing something */
	expect(b, 2, QUOTE_UNAVAILABLE);
	close(fd);
	finish(b);
}

static void no_service(void **state)
{
	struct quote_bench *b = running(LONG_MS, 0);

	(void)state;
	close(b->listener);
	b->listener = -1;
	quote_bench_ask(b, 1, 7);
	expect(b, 1, QUOTE_UNAVAILABLE);
	assert_true(quote_bench_logged(b, "QGS: cannot connect (is the service running?)"));
	assert_int_equal(unlinkat(b->dir, BENCH_SOCKET, 0), 0);
	quote_bench_ask(b, 2, 7);
	expect(b, 2, QUOTE_UNAVAILABLE);
	finish(b);
}

/* A VMM that breaks the framing gets no more quotes; the process waits for its launcher. */
static void broken_requests_end_the_channel(void **state)
{
	static const struct {
		uint32_t magic;
		size_t size;
	} bad[] = { { QUOTE_MAGIC + 1, sizeof(struct quote_request) },
		    { QUOTE_MAGIC, sizeof(struct quote_request) - 1 },
		    { QUOTE_MAGIC, sizeof(struct quote_request) + 1 } };
	static uint8_t bytes[sizeof(struct quote_request) + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct quote_bench *b = running(LONG_MS, 0);
		memcpy(bytes, &bad[i].magic, 4);
		assert_int_equal(send(b->channel, bytes, bad[i].size, MSG_NOSIGNAL), bad[i].size);
		assert_int_equal(recv(b->channel, bytes, sizeof(bytes), 0), 0);
		assert_true(quote_bench_logged(b, "no request for a quote"));
		finish(b);
	}
}

static void the_vmm_goes_before_its_answer(void **state)
{
	struct quote_bench *b = running(LONG_MS, 0);
	uint8_t fill;

	(void)state;
	quote_bench_ask(b, 1, 7);
	int fd = quote_bench_accept(b, &fill);
	close(b->channel);
	b->channel = -1;
	/* Its connection is closed: nobody waits for that quote. */
	assert_int_equal(recv(fd, message, 1, 0), 0);
	close(fd);
	finish(b);
}

static void names_lead_nowhere_else(void **state)
{
	static const char *const bad[] = { "", ".", "..", "a/b", "/run/x", "../x" };
	char name[200];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err e = { 0 };
		assert_int_equal(service_check_name(bad[i], &e), -EX_USAGE_ERROR);
	}
	struct err e = { 0 };
	memset(name, 'a', sizeof(name));
	name[107] = '\0';
	assert_int_equal(service_check_name(name, &e), 0);
	name[107] = 'a';
	name[108] = '\0';
	assert_int_equal(service_check_name(name, &e), -EX_USAGE_ERROR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quotes_are_relayed),
		cmocka_unit_test(the_largest_quote_fits),
		cmocka_unit_test(requests_wait_for_each_other),
		cmocka_unit_test(the_rate_is_limited),
		cmocka_unit_test(short_reads),
		cmocka_unit_test(trailing_bytes),
		cmocka_unit_test(bad_answers),
		cmocka_unit_test(a_slow_service_is_given_up),
		cmocka_unit_test(no_service),
		cmocka_unit_test(broken_requests_end_the_channel),
		cmocka_unit_test(the_vmm_goes_before_its_answer),
		cmocka_unit_test(names_lead_nowhere_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
