/* Taking memory: every page once, in the right order, and no answer of the RMP goes unread. */
#include "firmware/accept_snp.h"
#include "tests/unit/snp_machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define MIB 0x100000ull

static struct snp_machine m;
static struct accept_snp a;

static void start(bool touch)
{
	snp_machine_init(&m);
	memset(&a, 0, sizeof(a));
	assert_int_equal(ghcb_open(&m.ops), STOP_HANDED_OVER);
	accept_snp_init(&a, &m.ops, touch);
}

static enum fw_stop take(uint64_t from, uint64_t to)
{
	enum fw_stop status = accept_snp_range(&a, from, to);

	return status == STOP_HANDED_OVER ? accept_snp_flush(&a) : status;
}

static void assert_taken(uint64_t from, uint64_t to, bool touched)
{
	for (size_t i = 0; i < SNP_MACHINE_PAGES; i++) {
		const struct snp_page *p = &m.page[i];
		bool inside = i * FW_PAGE >= from && i * FW_PAGE < to;

		if (p->validations != inside || (p->touched != 0) != (inside && touched))
			fail_msg("page %zx: validated %u times, touched %u", i, p->validations,
				 p->touched);
	}
	assert_null(m.fault);
}

static void large_units_are_taken_whole(void **state)
{
	(void)state;
	start(false);
	assert_int_equal(take(2 * MIB, 64 * MIB), STOP_HANDED_OVER);
	assert_taken(2 * MIB, 64 * MIB, false);
	assert_int_equal(m.page_calls, 1);
	assert_int_equal(m.pvalidates, 1 + 31);
}

static void low_memory_is_taken_by_pages(void **state)
{
	(void)state;
	start(true);
	assert_int_equal(take(0, FW_LOW_RAM_END), STOP_HANDED_OVER);
	assert_taken(0, FW_LOW_RAM_END, true);
	assert_int_equal(m.pvalidates, 1 + 160);
}

static void a_range_may_cross_2_mib_and_batches(void **state)
{
	(void)state;
	start(true);
	assert_int_equal(take(1 * MIB + 0x86000, 1040 * MIB), STOP_HANDED_OVER);
	assert_taken(1 * MIB + 0x86000, 1040 * MIB, true);
	/* 122 pages, then 519 units: three calls of at most 253 entries */
	assert_int_equal(m.page_calls, 3);
	assert_int_equal(m.entries_seen, 122 + 519);
}

static void small_backing_falls_back_to_pages(void **state)
{
	(void)state;
	start(true);
	m.small_backing = true;
	assert_int_equal(take(2 * MIB, 6 * MIB), STOP_HANDED_OVER);
	assert_taken(2 * MIB, 6 * MIB, true);
	assert_int_equal(m.pvalidates, 1 + 2 * (1 + 512));
}

static uint64_t mismatch(struct snp_machine *host, uint64_t gpa, bool large, uint64_t honest)
{
	(void)host;
	(void)gpa;
	(void)large;
	(void)honest;
	return PVALIDATE_SIZEMISMATCH;
}

static void endless_size_mismatch_stops(void **state)
{
	(void)state;
	start(false);
	m.pvalidate_lie = mismatch;
	assert_int_equal(take(2 * MIB, 4 * MIB), STOP_PVALIDATE_SIZE);
	assert_int_equal(m.pvalidates, 1 + 2);
	start(false);
	m.pvalidate_lie = mismatch;
	assert_int_equal(take(0, FW_PAGE), STOP_PVALIDATE_SIZE);
	assert_int_equal(m.pvalidates, 1 + 1);
}

static uint64_t unchanged_at;

static uint64_t unchanged(struct snp_machine *host, uint64_t gpa, bool large, uint64_t honest)
{
	(void)host;
	return gpa == unchanged_at && !large ? PVALIDATE_UNCHANGED : honest;
}

static uint64_t unchanged_large(struct snp_machine *host, uint64_t gpa, bool large, uint64_t honest)
{
	(void)host;
	return gpa == unchanged_at && large ? PVALIDATE_UNCHANGED : honest;
}

static void carry_stops(void **state)
{
	(void)state;
	start(false);
	m.pvalidate_lie = unchanged_large;
	unchanged_at = 8 * MIB;
	assert_int_equal(take(2 * MIB, 16 * MIB), STOP_PVALIDATE_UNCHANGED);
	start(false);
	m.small_backing = true;
	m.pvalidate_lie = unchanged;
	unchanged_at = 3 * MIB;
	assert_int_equal(take(2 * MIB, 4 * MIB), STOP_PVALIDATE_UNCHANGED);
	start(false);
	m.pvalidate_lie = unchanged;
	unchanged_at = 0x9F000;
	assert_int_equal(take(0, FW_LOW_RAM_END), STOP_PVALIDATE_UNCHANGED);
}

static uint64_t failing(struct snp_machine *host, uint64_t gpa, bool large, uint64_t honest)
{
	(void)gpa;
	(void)large;
	(void)honest;
	return host->lie;
}

static void any_other_failure_stops(void **state)
{
	static const uint64_t codes[] = { 1, 2, 5, 7, 0xFFFFFFFF, 1 | PVALIDATE_UNCHANGED };

	(void)state;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		start(false);
		m.pvalidate_lie = failing;
		m.lie = codes[i];
		assert_int_equal(take(2 * MIB, 4 * MIB), STOP_PVALIDATE_FAILED);
	}
}

static void nothing_is_taken_twice(void **state)
{
	(void)state;
	start(false);
	assert_int_equal(take(2 * MIB, 8 * MIB), STOP_HANDED_OVER);
	assert_int_equal(take(6 * MIB, 10 * MIB), STOP_ACCEPT_TWICE);
	start(false);
	assert_int_equal(take(0, 0x2000), STOP_HANDED_OVER);
	assert_int_equal(take(0x1000, 0x2000), STOP_ACCEPT_TWICE);
	/* within one batch too */
	start(false);
	assert_int_equal(accept_snp_range(&a, 0, 0x2000), STOP_HANDED_OVER);
	assert_int_equal(accept_snp_range(&a, 0x1000, 0x2000), STOP_ACCEPT_TWICE);
}

static void what_was_launched_is_not_taken(void **state)
{
	(void)state;
	start(false);
	assert_int_equal(accept_launched(&a.record, FW_IMAGE, FW_IMAGE + 0xC000), STOP_HANDED_OVER);
	assert_int_equal(take(FW_IMAGE + 0xB000, FW_IMAGE + 0xD000), STOP_ACCEPT_TWICE);
	assert_int_equal(accept_launched(&a.record, FW_IMAGE, FW_IMAGE + 1), STOP_ACCEPT_TWICE);
}

static void memory_beyond_the_record_stops(void **state)
{
	(void)state;
	start(false);
	assert_int_equal(accept_snp_range(&a, ACCEPT_RAM_MAX, ACCEPT_RAM_MAX + 2 * MIB),
			 STOP_RAM_LARGE);
	assert_int_equal(accept_snp_range(&a, 1ull << 45, (1ull << 45) + 2 * MIB), STOP_RAM_LARGE);
	assert_int_equal(accept_snp_range(&a, ACCEPT_RAM_MAX - 2 * MIB, ACCEPT_RAM_MAX),
			 STOP_HANDED_OVER);
}

static void refuse_states(struct snp_machine *host)
{
	snp_machine_store(host, GHCB_INFO2, 0x100ull << 32);
}

static void a_refused_state_change_stops_before_pvalidate(void **state)
{
	(void)state;
	start(false);
	m.page_lie = refuse_states;
	assert_int_equal(take(2 * MIB, 8 * MIB), STOP_PSC_REFUSED);
	assert_int_equal(m.pvalidates, 1);
}

static void the_ghcb_page_comes_back(void **state)
{
	(void)state;
	start(true);
	assert_int_equal(accept_snp_ghcb(&a), STOP_HANDED_OVER);
	assert_taken(FW_GHCB, FW_GHCB + FW_PAGE, true);
	assert_int_equal(m.page[FW_GHCB / FW_PAGE].private_, 1);
	assert_int_equal(accept_snp_ghcb(&a), STOP_ACCEPT_TWICE);
	start(false);
	m.pvalidate_lie = unchanged;
	unchanged_at = FW_GHCB;
	assert_int_equal(accept_snp_ghcb(&a), STOP_PVALIDATE_UNCHANGED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(large_units_are_taken_whole),
		cmocka_unit_test(low_memory_is_taken_by_pages),
		cmocka_unit_test(a_range_may_cross_2_mib_and_batches),
		cmocka_unit_test(small_backing_falls_back_to_pages),
		cmocka_unit_test(endless_size_mismatch_stops),
		cmocka_unit_test(carry_stops),
		cmocka_unit_test(any_other_failure_stops),
		cmocka_unit_test(nothing_is_taken_twice),
		cmocka_unit_test(what_was_launched_is_not_taken),
		cmocka_unit_test(memory_beyond_the_record_stops),
		cmocka_unit_test(a_refused_state_change_stops_before_pvalidate),
		cmocka_unit_test(the_ghcb_page_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
