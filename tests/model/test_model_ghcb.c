/* The host's side of the GHCB protocols: every request, its answer, and what is refused. */
#include "model/ghcb.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define GPA 0x184000ull

static uint8_t page[GHCB_SIZE];

static void put(unsigned offset, uint64_t v)
{
	memcpy(page + offset, &v, 8);
}

static uint64_t get(unsigned offset)
{
	uint64_t v;

	memcpy(&v, page + offset, 8);
	return v;
}

/* A call with everything valid, scratch at the buffer. */
static struct ghcb_call call(uint64_t code, uint64_t info1, uint64_t info2)
{
	put(0x390, code);
	put(0x398, info1);
	put(0x3A0, info2);
	put(0x3A8, GPA + 0x800);
	memset(page + 0x3F0, 0xFF, 16);
	return ghcb_page_request(page, GPA);
}

static int start(void **unused)
{
	(void)unused;
	memset(page, 0, sizeof(page));
	return 0;
}

static void msr_requests(void **unused)
{
	static const struct {
		uint64_t msr;
		enum ghcb_kind kind;
		uint64_t answer;
	} row[] = {
		{ 0x002, GHCB_ANSWERED, 0x0002000133000001 },
		{ 0x080, GHCB_ANSWERED, 0x3081 },
		{ 0x010, GHCB_ANSWERED, 0xFFFFFFFFFFFFF011 },
		{ 0x184012, GHCB_REGISTER, 0x184013 },
		{ 0x100, GHCB_TERMINATE, 0 },
		{ 0x053100, GHCB_TERMINATE, 0 },
		{ 0x014 | 0ull << 52, GHCB_ANSWERED, 0x100000015 },
		{ 0x014 | 3ull << 52, GHCB_ANSWERED, 0x100000015 },
		{ 0x004, GHCB_UNKNOWN, 0 },
		{ 0x001, GHCB_UNKNOWN, 0 },
		{ 0xFFF, GHCB_UNKNOWN, 0 },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		uint64_t answer = 0;
		struct ghcb_call c = ghcb_msr_request(row[i].msr, &answer);

		if (c.kind != row[i].kind ||
		    (c.kind <= GHCB_REGISTER && answer != row[i].answer))
			fail_msg("row %zu: kind %d answer %llx", i, (int)c.kind,
				 (unsigned long long)answer);
	}
	assert_int_equal(ghcb_msr_psc_answer(0), 0x15);
	assert_int_equal(ghcb_msr_psc_answer((uint64_t)-22), 0x100000015);
}

static void msr_page_state(void **unused)
{
	uint64_t answer;
	struct ghcb_call c = ghcb_msr_request(0x014 | 0x190000 | 2ull << 52, &answer);

	(void)unused;
	assert_int_equal(c.kind, GHCB_CHANGE);
	assert_int_equal(c.change.gpa, 0x190000);
	assert_int_equal(c.change.pages, 1);
	assert_false(c.change.private);
	c = ghcb_msr_request(0x014 | 0x190000 | 1ull << 52 | 1ull << 56, &answer);
	assert_true(c.change.private);
	assert_int_equal(c.change.pages, 1); /* this protocol has no large pages */
}

static void changes_merge(void **unused)
{
	struct ghcb_call c;

	(void)unused;
	put(0x800, 5ull << 16);
	put(0x808, 0x100000 | 1ull << 52);
	put(0x810, 0x101000 | 1ull << 52);
	put(0x818, 0x102000 | 2ull << 52);            /* another operation */
	put(0x820, 0x105000 | 2ull << 52);            /* not adjacent */
	put(0x828, 0x400000 | 1ull << 52 | 1ull << 56);
	put(0x830, 0x600000 | 1ull << 52 | 1ull << 56);
	c = call(0x80000010, 0, 0);
	assert_int_equal(c.kind, GHCB_CHANGE);
	assert_int_equal(c.change.gpa, 0x100000);
	assert_int_equal(c.change.pages, 2);
	c = ghcb_page_psc_next(page, &c, 0);
	assert_int_equal(get(0x800), 5ull << 16 | 2);
	assert_int_equal(c.change.gpa, 0x102000);
	assert_int_equal(c.change.pages, 1);
	c = ghcb_page_psc_next(page, &c, 0);
	assert_int_equal(c.change.gpa, 0x105000);
	c = ghcb_page_psc_next(page, &c, 0);
	assert_int_equal(c.change.gpa, 0x400000);
	assert_int_equal(c.change.pages, 1024);
	assert_true(c.change.large);
	c = ghcb_page_psc_next(page, &c, 0);
	assert_int_equal(c.kind, GHCB_ANSWERED);
	assert_int_equal(get(0x3A0), 0);
	assert_int_equal(get(0x800), 5ull << 16 | 6);
}

static void refused_change_stops(void **unused)
{
	struct ghcb_call c;

	(void)unused;
	put(0x800, 1ull << 16);
	put(0x808, 0x100000 | 1ull << 52);
	put(0x810, 0x101000 | 2ull << 52);
	c = call(0x80000010, 0, 0);
	c = ghcb_page_psc_next(page, &c, (uint64_t)-22);
	assert_int_equal(c.kind, GHCB_ANSWERED);
	assert_int_equal(get(0x3A0), 0x100ull << 32);
	assert_int_equal(get(0x800), 1ull << 16); /* no progress */
}

static void hostile_changes(void **unused)
{
	static const struct {
		uint64_t header, entry, info2;
	} row[] = {
		{ 253ull << 16, 0x100000 | 1ull << 52, (1ull << 32) | 1 },
		{ 0xFFFFull << 16, 0x100000 | 1ull << 52, (1ull << 32) | 1 },
		{ 1, 0x100000 | 1ull << 52, 0 },                   /* done before it began */
		{ 0, 0x100000 | 3ull << 52, (1ull << 32) | 2 },
		{ 0, 0x100000, (1ull << 32) | 2 },
		{ 0, 0x101000 | 1ull << 52 | 1ull << 56, (1ull << 32) | 2 },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct ghcb_call c;

		memset(page, 0, sizeof(page));
		put(0x800, row[i].header);
		put(0x808, row[i].entry);
		c = call(0x80000010, 0, 0);
		if (c.kind != GHCB_ANSWERED || get(0x3A0) != row[i].info2)
			fail_msg("row %zu: kind %d, %llx", i, (int)c.kind,
				 (unsigned long long)get(0x3A0));
	}
}

static void malformed(uint64_t why, struct ghcb_call c)
{
	assert_int_equal(c.kind, GHCB_ANSWERED);
	assert_int_equal(get(0x398), 2);
	assert_int_equal(get(0x3A0), why);
}

static void scratch_area(void **unused)
{
	static const uint64_t bad[] = { 0, GPA, GPA + 0x7FF, GPA + 0xFF0, GPA + 0xFED, ~0ull,
					0x1000 };

	(void)unused;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memset(page, 0, sizeof(page));
		put(0x390, 0x80000001);
		put(0x398, 0xFEC00000);
		put(0x3A0, 4);
		put(0x3A8, bad[i]);
		memset(page + 0x3F0, 0xFF, 16);
		malformed(3, ghcb_page_request(page, GPA));
	}
	struct ghcb_call c = call(0x80000002, 0xFEC00010, 4);
	assert_int_equal(c.kind, GHCB_MMIO);
	assert_int_equal(c.offset, 0x800);
	assert_true(c.write);
}

static void malformed_calls(void **unused)
{
	(void)unused;
	page[0xFFC] = 1;
	malformed(2, call(0x8000FFFD, 0, 0));
	memset(page, 0, sizeof(page));
	put(0x390, 0x8000FFFD);
	malformed(4, ghcb_page_request(page, GPA)); /* nothing valid */
	malformed(5, call(0x80000001, 0xFEC00000, 0));
	malformed(5, call(0x80000001, 0xFEC00000, 9));
	malformed(5, call(0x7B, 0x3F80000 | 7 << 4, 0));  /* no size, or several */
	malformed(5, call(0x7B, 0x3F80000 | 1 << 4 | 4, 0));
	malformed(6, call(0x72, 0, 0));
	malformed(6, call(0x80000011, 0, 0));
	assert_int_equal(call(0x8000FFFE, 0, 0).kind, GHCB_TERMINATE);
}

static void ports(void **unused)
{
	struct ghcb_call c;

	(void)unused;
	put(0x1F8, 0x1122334455667788);
	c = call(0x7B, 0x600ull << 16 | 2 << 4, 0);
	assert_int_equal(c.kind, GHCB_PORT);
	assert_true(c.write);
	assert_int_equal(c.address, 0x600);
	assert_int_equal(c.value, 0x7788);
	assert_int_equal(get(0x398), 0);
	c = call(0x7B, 0x3FDull << 16 | 1 << 4 | 1, 0);
	assert_false(c.write);
	ghcb_page_port_answer(page, &c, 0xFFFF60);
	assert_int_equal(get(0x1F8), 0x1122334455667760);
}

/* The guest's page changes only where the host may write. */
static void write_back(void **unused)
{
	static uint8_t guest[GHCB_SIZE];

	(void)unused;
	memset(page, 0xEE, sizeof(page));
	ghcb_write_back(guest, page);
	for (unsigned i = 0; i < GHCB_SIZE; i++) {
		bool host = (i >= 0x1F8 && i < 0x200) || (i >= 0x398 && i < 0x3A8) ||
			    (i >= 0x800 && i < 0xFF0);

		if (guest[i] != (host ? 0xEE : 0))
			fail_msg("offset %#x", i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(msr_requests, start),
		cmocka_unit_test_setup(msr_page_state, start),
		cmocka_unit_test_setup(changes_merge, start),
		cmocka_unit_test_setup(refused_change_stops, start),
		cmocka_unit_test_setup(hostile_changes, start),
		cmocka_unit_test_setup(scratch_area, start),
		cmocka_unit_test_setup(malformed_calls, start),
		cmocka_unit_test_setup(ports, start),
		cmocka_unit_test_setup(write_back, start),
	};

	return cmocka_run_group_tests_name("model_ghcb", tests, NULL, NULL);
}
