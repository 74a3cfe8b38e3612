/* TDG.MEM.PAGE.ACCEPT against every state of a page. */
#include "model/sept.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define PAGES 2048u

static uint8_t state[PAGES];
static struct pages pages;

enum before { SHARED, FREE, PENDING, MAPPED, PENDING_LARGE, MAPPED_LARGE, BESIDE };

/* Page 600 in that state; its 2 MiB block is [512, 1024). */
static void prepare(enum before b)
{
	memset(state, 0, sizeof(state));
	pages = (struct pages){ .page = state, .count = PAGES };
	pages_set_private(&pages, 0, PAGES, true);
	switch (b) {
	case SHARED:
		pages_set_private(&pages, 600, 1, false);
		break;
	case FREE:
		break;
	case PENDING:
		assert_true(pages_touch(&pages, 600, false));
		break;
	case MAPPED:
		assert_int_equal(sept_accept(&pages, 600, SEPT_4K), SEPT_ACCEPTED);
		break;
	case PENDING_LARGE:
		assert_true(pages_touch(&pages, 600, true));
		break;
	case MAPPED_LARGE:
		assert_int_equal(sept_accept(&pages, 512, SEPT_2M), SEPT_ACCEPTED);
		break;
	case BESIDE: /* another page of the block was launched */
		pages_launch(&pages, 601);
		break;
	}
}

static void accept_table(void **unused)
{
	static const struct {
		enum before before;
		enum sept_level level;
		enum sept_result result;
		bool usable; /* page 600 afterwards */
	} row[] = {
		{ SHARED, SEPT_4K, SEPT_FAULT, false },
		{ FREE, SEPT_4K, SEPT_ACCEPTED, true },
		{ FREE, SEPT_2M, SEPT_ACCEPTED, true },
		{ FREE, SEPT_1G, SEPT_SIZE_MISMATCH, false },
		{ PENDING, SEPT_4K, SEPT_ACCEPTED, true },
		{ PENDING, SEPT_2M, SEPT_SIZE_MISMATCH, false },
		{ MAPPED, SEPT_4K, SEPT_ALREADY, true },
		{ MAPPED, SEPT_2M, SEPT_SIZE_MISMATCH, true },
		{ MAPPED, SEPT_1G, SEPT_SIZE_MISMATCH, true },
		{ PENDING_LARGE, SEPT_4K, SEPT_SIZE_MISMATCH, false },
		{ PENDING_LARGE, SEPT_2M, SEPT_ACCEPTED, true },
		{ MAPPED_LARGE, SEPT_4K, SEPT_SIZE_MISMATCH, true },
		{ MAPPED_LARGE, SEPT_2M, SEPT_ALREADY, true },
		{ BESIDE, SEPT_2M, SEPT_SIZE_MISMATCH, false },
		{ BESIDE, SEPT_4K, SEPT_ACCEPTED, true },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		prepare(row[i].before);
		uint64_t page = row[i].level == SEPT_4K ? 600 : 512;
		enum sept_result result = sept_accept(&pages, page, row[i].level);

		if (result != row[i].result || page_private_usable(state[600]) != row[i].usable)
			fail_msg("row %zu: result %d, state %#x", i, (int)result, state[600]);
	}
}

/* KVM gives no more than was asked for, and up to 6.16 no large page at all. */
static void what_is_given(void **unused)
{
	(void)unused;
	prepare(FREE);
	assert_int_equal(sept_accept(&pages, 600, SEPT_4K), SEPT_ACCEPTED);
	assert_int_equal(state[601] & PG_GIVEN, 0);
	prepare(FREE);
	pages.small_below = PAGES;
	assert_int_equal(sept_accept(&pages, 512, SEPT_2M), SEPT_SIZE_MISMATCH);
	assert_int_equal(sept_accept(&pages, 512, SEPT_4K), SEPT_ACCEPTED);
}

/* What the host takes back has to be accepted again. */
static void taken_back(void **unused)
{
	(void)unused;
	prepare(MAPPED_LARGE);
	pages_discard(&pages, 600, 1);
	assert_false(page_private_usable(state[600]));
	assert_true(page_private_usable(state[601]));
	assert_int_equal(sept_accept(&pages, 600, SEPT_4K), SEPT_ACCEPTED);
	assert_int_equal(sept_accept(&pages, 601, SEPT_4K), SEPT_ALREADY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accept_table),
		cmocka_unit_test(what_is_given),
		cmocka_unit_test(taken_back),
	};

	return cmocka_run_group_tests_name("model_sept", tests, NULL, NULL);
}
