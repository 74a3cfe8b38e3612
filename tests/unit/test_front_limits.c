/* attest/front/limits.c: who is one client, and when it may ask again. */
#include "attest/front/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>

static struct limits limits; /* large */

static struct client at(const char *text)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

	if (inet_pton(AF_INET, text, &in.sin_addr) == 1)
		return client_of((struct sockaddr *)&in, sizeof(in));
	assert_int_equal(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
	return client_of((struct sockaddr *)&in6, sizeof(in6));
}

static void who_is_one_client(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} pairs[] = {
		{ "10.0.0.1", "10.0.0.1", true },
		{ "10.0.0.1", "10.0.0.2", false },
		{ "10.0.0.1", "::ffff:10.0.0.1", true }, /* a socket of both families */
		{ "2001:db8::1", "2001:db8::ffff:1", true },
		{ "2001:db8:0:1::1", "2001:db8:0:2::1", false },
		{ "10.0.0.1", "a00:1::", false }, /* the same bytes, another family */
		{ "::ffff:10.0.0.1", "::ffff:10.0.0.2", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct client a = at(pairs[i].a), b = at(pairs[i].b);
		assert_int_equal(client_same(&a, &b), pairs[i].same);
	}
}

static void a_burst_then_the_rate(void **state)
{
	struct client c = at("10.0.0.1");

	(void)state;
	limits_init(&limits, 30, 3); /* a token every two seconds */
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(limits_take(&limits, &c, 1000), 0);
	assert_int_equal(limits_take(&limits, &c, 1000), 3);
	assert_int_equal(limits_take(&limits, &c, 2999), 1);
	assert_int_equal(limits_take(&limits, &c, 3000), 0);
	assert_int_not_equal(limits_take(&limits, &c, 3000), 0);
}

static void an_absence_fills_no_more_than_the_burst(void **state)
{
	struct client c = at("10.0.0.1");
	unsigned n = 0;

	(void)state;
	limits_init(&limits, 60000, 2);
	assert_int_equal(limits_take(&limits, &c, 0), 0);
	while (limits_take(&limits, &c, UINT64_MAX / 2) == 0)
		n++;
	assert_int_equal(n, 2);
}

static void clients_do_not_share(void **state)
{
	struct client a = at("10.0.0.1"), b = at("10.0.0.2");

	(void)state;
	limits_init(&limits, 1, 1);
	assert_int_equal(limits_take(&limits, &a, 0), 0);
	assert_int_equal(limits_take(&limits, &b, 0), 0);
	assert_int_equal(limits_take(&limits, &a, 0), 61);
}

/* Many addresses push out who was seen longest ago, never who asks just now. */
static void the_table_is_bounded(void **state)
{
	struct client busy = at("192.0.2.1");

	(void)state;
	limits_init(&limits, 1, 1);
	assert_int_equal(limits_take(&limits, &busy, 0), 0);
	for (unsigned i = 0; i < 4 * LIMITS_CLIENTS; i++) {
		char text[32];
		snprintf(text, sizeof(text), "10.%u.%u.1", i / 256, i % 256);
		struct client other = at(text);
		assert_int_equal(limits_take(&limits, &other, i), 0);
		assert_int_not_equal(limits_take(&limits, &busy, i), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_is_one_client),
		cmocka_unit_test(a_burst_then_the_rate),
		cmocka_unit_test(an_absence_fills_no_more_than_the_burst),
		cmocka_unit_test(clients_do_not_share),
		cmocka_unit_test(the_table_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
