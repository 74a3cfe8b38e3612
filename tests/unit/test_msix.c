/* The MSI-X table, its masks, and the routes made of it. */
#include "tests/unit/kvm_routing.h"
#include "vmm/bus/msix.h"
#include "vmm/bus/routes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void program(struct msix *m, unsigned vector, uint64_t address, uint32_t data)
{
	uint64_t at = (uint64_t)vector * MSIX_ENTRY_SIZE;

	msix_table_write(m, at, 4, address & 0xFFFFFFFF);
	msix_table_write(m, at + 4, 4, address >> 32);
	msix_table_write(m, at + 8, 4, data);
	msix_table_write(m, at + 12, 4, 0);
}

static void reset_masks_everything(void **state)
{
	(void)state;
	struct msix m;
	struct msix_message message;

	msix_init(&m, 3);
	assert_int_equal(msix_control(&m), 2);
	msix_set_control(&m, MSIX_ENABLE);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(msix_table_read(&m, i * 16 + 12, 4), 1);
		assert_false(msix_message(&m, i, &message));
	}
}

static void a_message_needs_every_mask_open(void **state)
{
	(void)state;
	struct msix m;
	struct msix_message message;

	msix_init(&m, 2);
	program(&m, 1, 0xFEE01000, 0x41);
	assert_false(msix_message(&m, 1, &message));
	msix_set_control(&m, MSIX_ENABLE | MSIX_MASK_ALL);
	assert_false(msix_message(&m, 1, &message));
	msix_set_control(&m, MSIX_ENABLE | 0x3FFF);
	assert_int_equal(msix_control(&m), MSIX_ENABLE | 1);
	assert_true(msix_message(&m, 1, &message));
	assert_int_equal(message.address, 0xFEE01000);
	assert_int_equal(message.data, 0x41);
	assert_false(msix_message(&m, 0, &message));
	assert_false(msix_message(&m, 2, &message));
	assert_false(msix_message(&m, 0xFFFF, &message));
	msix_table_write(&m, 16 + 12, 4, 0xFFFFFFFF);
	assert_int_equal(msix_table_read(&m, 16 + 12, 4), 1);
	assert_false(msix_message(&m, 1, &message));
}

static void a_message_must_aim_at_the_local_apics(void **state)
{
	(void)state;
	static const uint64_t wrong[] = { 0, 0x1000, 0xFED00000, 0xFEF00000, 0x1FEE00000,
					  0xFEE0000000000000 };
	struct msix m;
	struct msix_message message;

	msix_init(&m, 1);
	msix_set_control(&m, MSIX_ENABLE);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		program(&m, 0, wrong[i], 0x41);
		assert_false(msix_message(&m, 0, &message));
	}
	program(&m, 0, 0xFEEFFFFF, 0x41); /* the low two bits do not exist */
	assert_true(msix_message(&m, 0, &message));
	assert_int_equal(message.address, 0xFEEFFFFC);
}

static void odd_accesses_do_nothing(void **state)
{
	(void)state;
	struct msix m, before;

	msix_init(&m, 2);
	before = m;
	msix_table_write(&m, 0, 1, 0xFF);
	msix_table_write(&m, 0, 2, 0xFFFF);
	msix_table_write(&m, 2, 4, 0xFFFFFFFF);
	msix_table_write(&m, 4, 8, ~0ull);
	msix_table_write(&m, 32, 4, 0xFFFFFFFF);
	msix_table_write(&m, 0xFFC, 4, 0xFFFFFFFF);
	assert_memory_equal(&m, &before, sizeof(m));
	assert_int_equal(msix_table_read(&m, 32, 4), 0);
	assert_int_equal(msix_table_read(&m, 12, 2), 0);
	msix_table_write(&m, 8, 8, 0x0000000000000055);
	assert_int_equal(msix_table_read(&m, 8, 8), 0x55);
}

static void routes_change_only_when_something_changed(void **state)
{
	(void)state;
	const struct msix_message a = { 0xFEE00000, 0x31 }, b = { 0xFEE01000, 0x32 };
	static struct routes r;
	struct err e = { 0 };

	assert_int_equal(routes_set(&r, 24, NULL), ROUTE_SAME);
	assert_int_equal(routes_set(&r, 24, &a), ROUTE_APPEARED);
	assert_int_equal(routes_set(&r, 25, &a), ROUTE_APPEARED);
	assert_int_equal(routes_set(&r, 24, &a), ROUTE_SAME);
	assert_int_equal(routes_set(&r, 24, &b), ROUTE_CHANGED);
	assert_int_equal(routes_commit(&r, -1, &e), 0);
	assert_int_equal(kvm_routing_seen.calls, 1);
	assert_int_equal(kvm_routing_seen.count, 2);
	assert_int_equal(kvm_routing_seen.route[0].data, 0x32);
	assert_int_equal(routes_set(&r, 24, NULL), ROUTE_CHANGED);
	assert_int_equal(routes_commit(&r, -1, &e), 0);
	assert_int_equal(kvm_routing_seen.count, 1);
	assert_int_equal(kvm_routing_seen.route[0].gsi, 25);
	assert_int_equal(routes_set(&r, 24, &b), ROUTE_APPEARED);
}

static void a_full_route_table_takes_no_more(void **state)
{
	(void)state;
	const struct msix_message a = { 0xFEE00000, 0x31 };
	static struct routes r;

	for (uint32_t i = 0; i < KVM_MSI_ROUTE_MAX; i++)
		assert_int_equal(routes_set(&r, 24 + i, &a), ROUTE_APPEARED);
	assert_int_equal(routes_set(&r, 24 + KVM_MSI_ROUTE_MAX, &a), ROUTE_SAME);
	assert_int_equal(r.count, KVM_MSI_ROUTE_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reset_masks_everything),
		cmocka_unit_test(a_message_needs_every_mask_open),
		cmocka_unit_test(a_message_must_aim_at_the_local_apics),
		cmocka_unit_test(odd_accesses_do_nothing),
		cmocka_unit_test(routes_change_only_when_something_changed),
		cmocka_unit_test(a_full_route_table_takes_no_more),
	};

	return cmocka_run_group_tests_name("msix", tests, NULL, NULL);
}
