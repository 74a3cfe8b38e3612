/* Slots follow the page record: a simple second book of what should be mapped, and thousands of changes. */
#include "model/alias.h"
#include "model/rmp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define PRIVATE_BIT (1ull << 47)
#define PAGES  2048u
#define BASE   0x100000000ull
#define SHARED 0x10000000ull
#define PRIVATE 0x20000000ull

static struct alias alias;
static uint8_t state[PAGES];
static struct pages pages;
static const struct alias_region region = { { BASE, SHARED }, { BASE | PRIVATE_BIT, PRIVATE }, &pages };

/* What KVM would hold: host address of every page, by alias; and the slots by number. */
static uint64_t mapped[2][PAGES];
static struct { uint64_t gpa, size; } by_id[4096];
static int fail_after;

static void note(uint64_t gpa, uint64_t size, uint64_t host)
{
	bool private = (gpa & PRIVATE_BIT) != 0;
	uint64_t first = ((gpa & ~PRIVATE_BIT) - BASE) / PAGE_BYTES;

	for (uint64_t i = 0; i < size / PAGE_BYTES; i++) {
		/* KVM refuses slots that overlap. */
		assert_true(host == 0 || mapped[private][first + i] == 0);
		mapped[private][first + i] = host ? host + i * PAGE_BYTES : 0;
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
	pages = (struct pages){ .page = state, .count = PAGES };
	return 0;
}

static void check(void)
{
	for (uint64_t i = 0; i < PAGES; i++) {
		uint64_t shared = page_shared_usable(state[i]) ? SHARED + i * PAGE_BYTES : 0;
		uint64_t private = page_private_usable(state[i]) ? PRIVATE + i * PAGE_BYTES : 0;

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
		pages_set_private(&pages, *first, *count, random_below(3) != 0);
		break;
	case 1:
		pages_discard(&pages, *first, *count);
		break;
	case 2:
		*count = 1;
		(void)rmp_pvalidate(&pages, *first, false, true, random_below(4) != 0);
		break;
	default:
		*first &= ~(PAGES_LARGE - 1);
		*count = PAGES_LARGE;
		(void)rmp_pvalidate(&pages, *first, true, true, true);
	}
}

static void slots_follow_the_record(void **unused)
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
	assert_int_equal(alias_unmap(&alias, BASE, PAGES * PAGE_BYTES, &e), 0);
	assert_int_equal(alias_unmap(&alias, BASE | PRIVATE_BIT, PAGES * PAGE_BYTES, &e), 0);
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
		full.slot[i] = (struct alias_slot){ PAGE_BYTES * 2 * i, PAGE_BYTES, SHARED,
						     i };
	assert_int_equal(alias_map(&full, PAGE_BYTES, PAGE_BYTES, SHARED, &e), -EX_HOST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(slots_follow_the_record, start),
		cmocka_unit_test_setup(errors_arrive, start),
		cmocka_unit_test_setup(too_many_slots, start),
	};

	return cmocka_run_group_tests_name("model_alias", tests, NULL, NULL);
}
