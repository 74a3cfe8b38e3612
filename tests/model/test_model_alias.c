/* Slots follow the RMP: a simple second book of what should be mapped, and thousands of changes. */
#include "model/alias.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define PAGES  2048u
#define BASE   0x100000000ull
#define SHARED 0x10000000ull
#define PRIVATE 0x20000000ull

static struct alias alias;
static uint8_t state[PAGES];
static struct rmp rmp;
static const struct alias_region region = { BASE, SHARED, PRIVATE, &rmp };

/* What KVM would hold: host address of every page, by alias; and the slots by number. */
static uint64_t mapped[2][PAGES];
static struct { uint64_t gpa, size; } by_id[4096];
static int fail_after;

static void note(uint64_t gpa, uint64_t size, uint64_t host)
{
	bool private = (gpa & MODEL_C_BIT) != 0;
	uint64_t first = ((gpa & ~MODEL_C_BIT) - BASE) / RMP_PAGE;

	for (uint64_t i = 0; i < size / RMP_PAGE; i++) {
		/* KVM refuses slots that overlap. */
		assert_true(host == 0 || mapped[private][first + i] == 0);
		mapped[private][first + i] = host ? host + i * RMP_PAGE : 0;
	}
}

static int set(void *ctx, uint32_t id, uint64_t gpa, uint64_t size, uint64_t host, struct err *e)
{
	(void)ctx;
	assert_true(id < 4096);
	if (fail_after > 0 && --fail_after == 0)
		return err_set(e, EX_HOST, "no");
	if (size != 0) {
		assert_int_equal(by_id[id].size, 0);
		note(gpa, size, host);
		by_id[id].gpa = gpa;
		by_id[id].size = size;
		return 0;
	}
	assert_true(by_id[id].size != 0);
	note(by_id[id].gpa, by_id[id].size, 0);
	by_id[id].size = 0;
	return 0;
}

static int start(void **unused)
{
	(void)unused;
	memset(state, 0, sizeof(state));
	memset(mapped, 0, sizeof(mapped));
	memset(by_id, 0, sizeof(by_id));
	memset(&alias, 0, sizeof(alias));
	alias.set = set;
	fail_after = 0;
	rmp = (struct rmp){ .page = state, .pages = PAGES };
	return 0;
}

static void check(void)
{
	for (uint64_t i = 0; i < PAGES; i++) {
		uint64_t shared = rmp_shared_usable(state[i]) ? SHARED + i * RMP_PAGE : 0;
		uint64_t private = rmp_private_usable(state[i]) ? PRIVATE + i * RMP_PAGE : 0;

		if (mapped[0][i] != shared || mapped[1][i] != private)
			fail_msg("page %llu: shared %llx, private %llx", (unsigned long long)i,
				 (unsigned long long)mapped[0][i],
				 (unsigned long long)mapped[1][i]);
	}
}

static uint32_t seed = 1;

static uint32_t random_below(uint32_t limit)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % limit;
}

static void change(uint64_t *first, uint64_t *count)
{
	*first = random_below(PAGES);
	*count = 1 + random_below(random_below(8) == 0 ? (uint32_t)(PAGES - *first) : 8);
	if (*first + *count > PAGES)
		*count = PAGES - *first;
	switch (random_below(4)) {
	case 0:
		rmp_set_private(&rmp, *first, *count, random_below(3) != 0);
		break;
	case 1:
		rmp_discard(&rmp, *first, *count);
		break;
	case 2:
		*count = 1;
		(void)rmp_pvalidate(&rmp, *first, false, true, random_below(4) != 0);
		break;
	default:
		*first &= ~(RMP_LARGE_PAGES - 1);
		*count = RMP_LARGE_PAGES;
		(void)rmp_pvalidate(&rmp, *first, true, true, true);
	}
}

static void slots_follow_the_rmp(void **unused)
{
	struct err e = { 0 };

	(void)unused;
	assert_int_equal(alias_sync(&alias, &region, 0, PAGES, &e), 0);
	check();
	assert_int_equal(alias.count, 1);
	for (unsigned i = 0; i < 3000; i++) {
		uint64_t first, count;

		change(&first, &count);
		if (alias_sync(&alias, &region, first, count, &e) != 0)
			fail_msg("change %u: %s", i, e.text);
		check();
	}
	assert_int_equal(alias_unmap(&alias, BASE, PAGES * RMP_PAGE, &e), 0);
	assert_int_equal(alias_unmap(&alias, BASE | MODEL_C_BIT, PAGES * RMP_PAGE, &e), 0);
	assert_int_equal(alias.count, 0);
	assert_int_equal(alias.free_count, alias.next_id);
}

static void errors_arrive(void **unused)
{
	struct err e = { 0 };

	(void)unused;
	assert_int_equal(alias_map(&alias, BASE, 0x4000, SHARED, &e), 0);
	assert_int_equal(alias_map(&alias, BASE + 0x3000, 0x1000, SHARED, &e), -EX_INTERNAL);
	fail_after = 1;
	memset(&e, 0, sizeof(e));
	assert_int_equal(alias_unmap(&alias, BASE, 0x1000, &e), -EX_HOST);
	assert_int_equal(alias.count, 1);
}

static void too_many_slots(void **unused)
{
	static struct alias full;
	struct err e = { 0 };

	(void)unused;
	full.set = set;
	full.count = ALIAS_SLOTS_MAX;
	for (unsigned i = 0; i < ALIAS_SLOTS_MAX; i++)
		full.slot[i] = (struct alias_slot){ RMP_PAGE * 2 * i, RMP_PAGE, SHARED,
						     i };
	assert_int_equal(alias_map(&full, RMP_PAGE, RMP_PAGE, SHARED, &e), -EX_HOST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(slots_follow_the_rmp, start),
		cmocka_unit_test_setup(errors_arrive, start),
		cmocka_unit_test_setup(too_many_slots, start),
	};

	return cmocka_run_group_tests_name("model_alias", tests, NULL, NULL);
}
