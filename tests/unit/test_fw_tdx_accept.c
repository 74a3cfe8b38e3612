/* Taking memory of a trust domain: every page once, and no answer of the module goes unread. */
#include "firmware/accept_tdx.h"
#include "tests/unit/tdx_machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define MIB 0x100000ull

static struct tdx_machine m;
static struct accept_tdx a;

static void start(void)
{
	tdx_machine_init(&m);
	memset(&a, 0, sizeof(a));
	a.ops = &m.ops;
}

static void assert_taken(uint64_t from, uint64_t to)
{
	for (uint64_t i = 0; i < TDX_MACHINE_PAGES; i++)
		if (m.accepted[i] != (i * FW_PAGE >= from && i * FW_PAGE < to))
			fail_msg("page %llx: accepted %u", (unsigned long long)i, m.accepted[i]);
	assert_null(m.fault);
}

static void low_memory_in_pages_the_rest_in_units(void **state)
{
	(void)state;
	start();
	assert_int_equal(accept_tdx_range(&a, MIB + 0x8A000, 64 * MIB), STOP_HANDED_OVER);
	assert_taken(MIB + 0x8A000, 64 * MIB);
	assert_int_equal(m.accepts, 0x76 + 31);
	assert_int_equal(m.vmcalls, 0);
}

static void small_backing_falls_back_to_pages(void **state)
{
	(void)state;
	start();
	m.small_backing = true;
	assert_int_equal(accept_tdx_range(&a, 2 * MIB, 6 * MIB), STOP_HANDED_OVER);
	assert_taken(2 * MIB, 6 * MIB);
	assert_int_equal(m.accepts, 2 * (1 + 512));
}

static void shared_memory_becomes_private_first(void **state)
{
	(void)state;
	start();
	tdx_machine_share(&m, 128 * MIB, 136 * MIB);
	assert_int_equal(accept_tdx_shared(&a, 128 * MIB, 136 * MIB), STOP_HANDED_OVER);
	assert_taken(128 * MIB, 136 * MIB);
	assert_int_equal(m.map_calls, 1);
}

static uint64_t always(struct tdx_machine *host, uint64_t leaf, uint64_t rcx, uint64_t honest)
{
	(void)leaf;
	(void)rcx;
	(void)honest;
	return host->lie;
}

static void endless_size_mismatch_stops(void **state)
{
	(void)state;
	start();
	m.module_lie = always;
	m.lie = TDX_PAGE_SIZE_MISMATCH | 0x1234;
	assert_int_equal(accept_tdx_range(&a, 2 * MIB, 4 * MIB), STOP_TDX_ACCEPT_SIZE);
	assert_int_equal(m.accepts, 2);
	start();
	m.module_lie = always;
	m.lie = TDX_PAGE_SIZE_MISMATCH;
	assert_int_equal(accept_tdx_range(&a, 0, FW_PAGE), STOP_TDX_ACCEPT_SIZE);
	assert_int_equal(m.accepts, 1);
}

static uint64_t at_one_place(struct tdx_machine *host, uint64_t leaf, uint64_t rcx, uint64_t honest)
{
	(void)leaf;
	return rcx == host->lie ? TDX_PAGE_ALREADY_ACCEPTED | 7 : honest;
}

static void what_was_accepted_already_stops(void **state)
{
	static const struct {
		uint64_t rcx;
		bool small;
	} row[] = { { 0x9F000, false }, { 8 * MIB | 1, false }, { 9 * MIB + FW_PAGE, true } };

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		start();
		m.module_lie = at_one_place;
		m.lie = row[i].rcx;
		m.small_backing = row[i].small;
		assert_int_equal(accept_tdx_range(&a, 0, 16 * MIB), STOP_TDX_ACCEPTED);
	}
}

static void any_other_failure_stops(void **state)
{
	static const uint64_t codes[] = { 1, 0xB0A, 0x8000020000000001ull, 0xC000010000000001ull,
					  0x00000B0B00000000ull, 0xC0000B0A00000000ull };

	(void)state;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		start();
		m.module_lie = always;
		m.lie = codes[i];
		assert_int_equal(accept_tdx_range(&a, 2 * MIB, 4 * MIB), STOP_TDX_ACCEPT);
		assert_int_equal(m.accepts, 1);
	}
}

static void nothing_is_taken_twice(void **state)
{
	(void)state;
	start();
	assert_int_equal(accept_tdx_range(&a, 0, 8 * MIB), STOP_HANDED_OVER);
	assert_int_equal(accept_tdx_range(&a, 6 * MIB, 10 * MIB), STOP_ACCEPT_TWICE);
	assert_int_equal(accept_tdx_range(&a, 0x1000, 0x2000), STOP_ACCEPT_TWICE);
	/* The module's word is not asked for it. */
	start();
	m.module_lie = always;
	m.lie = 0;
	assert_int_equal(accept_tdx_range(&a, 0, 0x2000), STOP_HANDED_OVER);
	assert_int_equal(accept_tdx_range(&a, 0x1000, 0x2000), STOP_ACCEPT_TWICE);
	assert_int_equal(m.accepts, 2);
}

static void what_was_launched_is_not_taken(void **state)
{
	(void)state;
	start();
	assert_int_equal(accept_launched(&a.record, FW_MAILBOX, FW_MAILBOX + FW_PAGE),
			 STOP_HANDED_OVER);
	assert_int_equal(accept_tdx_range(&a, FW_CPUID_PAGE, FW_RESERVED_END), STOP_ACCEPT_TWICE);
}

static void memory_beyond_the_record_stops(void **state)
{
	(void)state;
	start();
	assert_int_equal(accept_tdx_range(&a, ACCEPT_RAM_MAX, ACCEPT_RAM_MAX + 2 * MIB),
			 STOP_RAM_LARGE);
	assert_int_equal(m.accepts, 0);
}

static void ram_but_not_the_staging_area(void **state)
{
	struct fw_boot_block b = { .ram_count = 3 };

	(void)state;
	start();
	b.ram[1] = (struct fw_ram_range){ FW_HIGH_RAM_BASE, 160 * MIB - FW_HIGH_RAM_BASE };
	b.ram[2] = (struct fw_ram_range){ 170 * MIB, 10 * MIB };
	assert_int_equal(accept_tdx_ram(&a, &b, FW_STAGING + 8 * MIB), STOP_HANDED_OVER);
	for (uint64_t at = 0; at < TDX_MACHINE_MEMORY; at += FW_PAGE) {
		bool want = (at >= FW_RESERVED_END && at < FW_STAGING) ||
			    (at >= FW_STAGING + 8 * MIB && at < 160 * MIB) ||
			    (at >= 170 * MIB && at < 180 * MIB);

		assert_int_equal(m.accepted[at / FW_PAGE], want);
	}
	assert_int_equal(accept_tdx_shared(&a, FW_STAGING, FW_STAGING + 8 * MIB), STOP_HANDED_OVER);
	assert_null(m.fault);
}

static void refuse(struct tdx_machine *host, uint64_t function, struct tdx_regs *r)
{
	(void)host;
	(void)function;
	r->r10 = 0x8000000000000000ull;
}

static void a_refused_change_stops_before_the_module_is_asked(void **state)
{
	(void)state;
	start();
	m.host_lie = refuse;
	assert_int_equal(accept_tdx_shared(&a, FW_STAGING, FW_STAGING + 8 * MIB),
			 STOP_MAP_GPA_REFUSED);
	assert_int_equal(m.accepts, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(low_memory_in_pages_the_rest_in_units),
		cmocka_unit_test(small_backing_falls_back_to_pages),
		cmocka_unit_test(shared_memory_becomes_private_first),
		cmocka_unit_test(endless_size_mismatch_stops),
		cmocka_unit_test(what_was_accepted_already_stops),
		cmocka_unit_test(any_other_failure_stops),
		cmocka_unit_test(nothing_is_taken_twice),
		cmocka_unit_test(what_was_launched_is_not_taken),
		cmocka_unit_test(memory_beyond_the_record_stops),
		cmocka_unit_test(ram_but_not_the_staging_area),
		cmocka_unit_test(a_refused_change_stops_before_the_module_is_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
