/* The real pavise-quote under its real filters. Needs root, since only then the capability sets can
 * be emptied as the launcher empties them, and Landlock. */
#include "tests/unit/quote_bench.h"

#include <linux/landlock.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#define QUOTES 20

static uint8_t message[QGS_ANSWER_MAX], quote[QUOTE_SIZE_MAX];

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

static char *over_unix[] = { "pavise-quote", "label=none", "control=3", "channel=4", "log=5",
			     "qgs=unix",     "dir=6",      "name=qgs.socket", NULL };
static char *over_vsock[] = { "pavise-quote", "label=none", "control=3",   "channel=4",
			      "log=5",        "qgs=vsock",  "cid=1",       "port=4060", NULL };

/* Good ones and bad ones, with a time limit nowhere near. */
static void sealed_unix_serves(void **state)
{
	struct quote_bench *b = quote_bench_open();
	uint32_t id = 0;
	size_t size = 0;
	uint8_t fill = 0;

	(void)state;
	quote_bench_exec(b, over_unix);
	quote_bench_seal(b);
	for (uint32_t i = 0; i < QUOTES; i++) {
		bool bad = i % 3 == 1;
		quote_bench_ask(b, i, (uint8_t)i);
		int fd = quote_bench_accept(b, &fill);
		assert_int_equal(fill, (uint8_t)i);
		size_t n = quote_bench_good(message, quote, 5000);
		message[4] = bad ? 9 : 1;
		quote_bench_send(fd, message, n);
		assert_int_equal(quote_bench_answer(b, &id, NULL, &size),
				 bad ? QUOTE_FAILED : QUOTE_OK);
		assert_int_equal(id, i);
		close(fd);
	}
	close(b->listener);
	b->listener = -1;
	quote_bench_ask(b, 99, 1);
	assert_int_equal(quote_bench_answer(b, &id, NULL, &size), QUOTE_UNAVAILABLE);
	assert_true(quote_bench_logged(b, "answers in version 9.1"));
	assert_int_equal(quote_bench_stop(b), 0);
	quote_bench_close(b);
}

/* Nobody listens there: the way to that answer is what the filter must allow. */
static void sealed_vsock_asks(void **state)
{
	struct quote_bench *b = quote_bench_open();
	uint32_t id = 0;
	size_t size = 0;

	(void)state;
	quote_bench_exec(b, over_vsock);
	quote_bench_seal(b);
	int probe = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);
	quote_bench_ask(b, 3, 1);
	assert_int_equal(quote_bench_answer(b, &id, NULL, &size), QUOTE_UNAVAILABLE);
	assert_true(quote_bench_logged(b, probe < 0 ? "QGS: socket" : "QGS: cannot connect"));
	if (probe >= 0)
		close(probe);
	assert_int_equal(quote_bench_stop(b), 0);
	quote_bench_close(b);
}

static void arguments_are_strict(void **state)
{
	static char *const bad[][9] = {
		{ "pavise-quote", "label=none", "control=3", "channel=4", "log=5", NULL },
		{ "pavise-quote", "label=none", "control=3", "channel=4", "log=5", "qgs=unix",
		  "dir=6", NULL },
		{ "pavise-quote", "label=none", "control=3", "channel=4", "log=5", "qgs=unix",
		  "dir=6", "name=../x", NULL },
		{ "pavise-quote", "label=none", "control=3", "channel=4", "log=5", "qgs=unix",
		  "dir=5", "name=x", NULL },
		{ "pavise-quote", "label=none", "control=3", "channel=4", "log=5", "qgs=vsock",
		  "cid=2", NULL },
		{ "pavise-quote", "label=none", "control=3", "channel=4", "log=5", "qgs=vsock",
		  "cid=2", "port=4294967296", NULL },
		{ "pavise-quote", "label=none", "control=3", "channel=4", "log=5", "qgs=tcp",
		  "cid=2", "port=1", NULL },
		{ "pavise-quote", "label=none", "control=3", "log=5", "qgs=vsock", "cid=2",
		  "port=1", NULL },
		{ "pavise-quote", "label=none", "control=3", "control=3", "channel=4", "log=5",
		  NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct quote_bench *b = quote_bench_open();
		quote_bench_exec(b, bad[i]);
		int status = quote_bench_stop(b);
		if (status != EX_USAGE_ERROR && status != EX_HOST)
			fail_msg("arguments %zu: status %d", i, status);
		quote_bench_close(b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sealed_unix_serves),
		cmocka_unit_test(sealed_vsock_asks),
		cmocka_unit_test(arguments_are_strict),
	};
	const char *reason = missing();

	if (reason != NULL) {
		printf("1..0 # SKIP %s\n", reason);
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
