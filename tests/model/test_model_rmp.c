/* The simulated RMP: every state of a page against each instruction and command of the host. */
#include "model/rmp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define PAGES 2048u

static uint8_t state[PAGES];
static struct pages pages;

static void fresh(void)
{
	memset(state, 0, sizeof(state));
	pages = (struct pages){ .page = state, .count = PAGES };
	pages_set_private(&pages, 0, PAGES, true);
}

enum before { SHARED, UNTOUCHED, INVALID, VALID, IN_LARGE, IN_VALID_LARGE };

/* Page 600 in that state; its 2 MiB block is [512, 1024). */
static void prepare(enum before b)
{
	fresh();
	switch (b) {
	case SHARED:
		pages_set_private(&pages, 600, 1, false);
		break;
	case UNTOUCHED:
		pages.small_below = PAGES;
		break;
	case INVALID:
	case VALID:
		pages.small_below = PAGES;
		assert_true(pages_touch(&pages, 600, true));
		if (b == VALID)
			rmp_pvalidate(&pages, 600, false, true, true);
		break;
	case IN_LARGE:
	case IN_VALID_LARGE:
		assert_true(pages_touch(&pages, 600, true));
		if (b == IN_VALID_LARGE)
			rmp_pvalidate(&pages, 512, true, true, true);
		break;
	}
}

static void pvalidate_table(void **unused)
{
	static const struct {
		enum before before;
		bool large, aligned, validate, fault;
		enum rmp_code code;
		bool unchanged;
		bool valid; /* page 600 afterwards */
	} row[] = {
		{ SHARED, false, true, true, true, RMP_SUCCESS, false, false },
		{ UNTOUCHED, false, true, true, false, RMP_SUCCESS, false, true },
		{ UNTOUCHED, false, true, false, false, RMP_SUCCESS, true, false },
		{ INVALID, false, true, true, false, RMP_SUCCESS, false, true },
		{ INVALID, false, true, false, false, RMP_SUCCESS, true, false },
		{ VALID, false, true, true, false, RMP_SUCCESS, true, true },
		{ VALID, false, true, false, false, RMP_SUCCESS, false, false },
		{ VALID, false, false, false, false, RMP_FAIL_INPUT, false, true },
		{ INVALID, true, true, true, false, RMP_FAIL_SIZEMISMATCH, false, false },
		{ IN_LARGE, true, true, true, false, RMP_SUCCESS, false, true },
		{ IN_LARGE, true, true, false, false, RMP_SUCCESS, true, false },
		{ IN_LARGE, true, false, true, false, RMP_FAIL_INPUT, false, false },
		{ IN_LARGE, false, true, true, false, RMP_SUCCESS, false, true },
		{ IN_VALID_LARGE, true, true, true, false, RMP_SUCCESS, true, true },
		{ IN_VALID_LARGE, true, true, false, false, RMP_SUCCESS, false, false },
		{ IN_VALID_LARGE, false, true, false, false, RMP_SUCCESS, false, false },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		prepare(row[i].before);
		uint64_t page = row[i].large && row[i].before != INVALID ? 512 : 600;
		struct rmp_answer a = rmp_pvalidate(&pages, page, row[i].large, row[i].aligned,
						    row[i].validate);
		bool valid = (state[600] & PG_ACCEPTED) != 0;

		if (a.fault != row[i].fault || a.code != row[i].code ||
		    a.unchanged != row[i].unchanged || valid != row[i].valid)
			fail_msg("row %zu: fault %d code %d unchanged %d valid %d", i, a.fault,
				 (int)a.code, a.unchanged, valid);
	}
}

static void rmpadjust_table(void **unused)
{
	static const struct {
		enum before before;
		uint64_t attributes;
		enum rmp_code code;
		bool fault, vmsa;
	} row[] = {
		{ VALID, 1, RMP_SUCCESS, false, false },
		{ VALID, 3 | 0xF00, RMP_SUCCESS, false, false },
		{ VALID, 0, RMP_FAIL_PERMISSION, false, false },
		{ VALID, 4, RMP_FAIL_INPUT, false, false },
		{ VALID, 1 | 1ull << 17, RMP_FAIL_INPUT, false, false },
		{ VALID, 1 | 1ull << 16, RMP_SUCCESS, false, true },
		{ INVALID, 1, RMP_FAIL_PERMISSION, false, false },
		{ SHARED, 1, RMP_SUCCESS, true, false },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		prepare(row[i].before);
		struct rmp_answer a = rmp_adjust(&pages, 600, false, true, row[i].attributes);

		if (a.code != row[i].code || a.fault != row[i].fault ||
		    ((state[600] & PG_VMSA) != 0) != row[i].vmsa)
			fail_msg("row %zu: code %d fault %d", i, (int)a.code, a.fault);
		if (row[i].vmsa)
			assert_false(page_private_usable(state[600]));
	}
}

/* What each page of the block holds after the host did something to page 600. */
static void host_commands(void **unused)
{
	(void)unused;
	prepare(IN_VALID_LARGE);
	pages_set_private(&pages, 600, 1, false);
	assert_false(page_private_usable(state[600]));
	assert_true(page_shared_usable(state[600]));
	assert_true(page_private_usable(state[601]));
	assert_false(state[601] & PG_LARGE);
	/* Back without a discard the page is as it was: KVM does the same. */
	pages_set_private(&pages, 600, 1, true);
	assert_true(page_private_usable(state[600]));
	pages_discard(&pages, 600, 1);
	assert_false(page_private_usable(state[600]));
	assert_true(pages_can_launch(&pages, 600));
	assert_false(pages_can_launch(&pages, 601));
	pages_launch(&pages, 600);
	assert_true(page_private_usable(state[600]));
	/* A block of which one page is the guest's already becomes no large page. */
	prepare(UNTOUCHED);
	pages.small_below = 0;
	pages_launch(&pages, 512);
	assert_true(pages_touch(&pages, 513, true));
	assert_false(state[513] & PG_LARGE);
	assert_false(state[514] & PG_GIVEN);
	/* Whole blocks are not split. */
	prepare(IN_VALID_LARGE);
	assert_true(pages_touch(&pages, 1024, true));
	pages_set_private(&pages, 512, 1024, true);
	assert_true(state[512] & PG_LARGE);
	assert_true(state[1535] & PG_LARGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pvalidate_table),
		cmocka_unit_test(rmpadjust_table),
		cmocka_unit_test(host_commands),
	};

	return cmocka_run_group_tests_name("model_rmp", tests, NULL, NULL);
}
