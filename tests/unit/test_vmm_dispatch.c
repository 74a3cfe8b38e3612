/* vmm/bus/dispatch.c: who answers which access, and what happens when nobody does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "vmm/vm.h"

struct device {
	uint64_t offset, value;
	unsigned size, calls;
};

static uint64_t on_read(void *ctx, uint64_t offset, unsigned size)
{
	struct device *d = ctx;

	d->offset = offset;
	d->size = size;
	d->calls++;
	return 0x1122334455667788;
}

static void on_write(void *ctx, uint64_t offset, unsigned size, uint64_t value)
{
	struct device *d = ctx;

	d->offset = offset;
	d->size = size;
	d->value = value;
	d->calls++;
}

static int add(struct dispatch *d, uint64_t base, uint64_t len, struct device *device)
{
	struct err e = { 0 };

	return dispatch_add(d, base, len, on_read, on_write, device, &e);
}

static void test_answers(void **state)
{
	struct dispatch d = { 0 };
	struct device a = { 0 }, b = { 0 };

	(void)state;
	assert_int_equal(add(&d, 0x1000, 0x10, &a), 0);
	assert_int_equal(add(&d, 0x1010, 0x10, &b), 0);
	assert_true(dispatch_read(&d, 0x100F, 1) == 0x88);
	assert_int_equal(a.offset, 0xF);
	assert_true(dispatch_read(&d, 0x1010, 4) == 0x55667788);
	assert_int_equal(b.offset, 0);
	assert_int_equal(b.size, 4);
	assert_true(dispatch_read(&d, 0x1018, 8) == 0x1122334455667788);
	dispatch_write(&d, 0x1002, 2, 0xABCDEF);
	assert_true(a.value == 0xCDEF); /* nothing above the access width */
	assert_int_equal(a.calls, 2);
	assert_int_equal(b.calls, 2);
}

static void test_nobody(void **state)
{
	struct dispatch d = { 0 };
	struct device a = { 0 };

	(void)state;
	assert_int_equal(add(&d, 0x1000, 0x10, &a), 0);
	assert_true(dispatch_read(&d, 0xFFF, 1) == 0xFF);
	assert_true(dispatch_read(&d, 0x1010, 2) == 0xFFFF);
	assert_true(dispatch_read(&d, 0xFFE, 4) == 0xFFFFFFFF);  /* across the beginning */
	assert_true(dispatch_read(&d, 0x100D, 4) == 0xFFFFFFFF); /* across the end */
	assert_true(dispatch_read(&d, UINT64_MAX - 3, 8) == UINT64_MAX); /* wraps */
	dispatch_write(&d, 0x100D, 4, 1);
	dispatch_write(&d, UINT64_MAX, 8, 1);
	assert_int_equal(a.calls, 0);
}

static void test_refused_ranges(void **state)
{
	struct dispatch d = { 0 };
	struct device a = { 0 };

	(void)state;
	assert_int_equal(add(&d, 0x1000, 0x10, &a), 0);
	assert_int_equal(add(&d, 0x1000, 0x10, &a), -EX_INTERNAL);
	assert_int_equal(add(&d, 0x0FFF, 2, &a), -EX_INTERNAL);
	assert_int_equal(add(&d, 0x100F, 1, &a), -EX_INTERNAL);
	assert_int_equal(add(&d, 0, 0x10000, &a), -EX_INTERNAL);
	assert_int_equal(add(&d, 0x2000, 0, &a), -EX_INTERNAL);
	assert_int_equal(add(&d, UINT64_MAX, 2, &a), -EX_INTERNAL);
	assert_int_equal(add(&d, 0x1010, 1, &a), 0);
}

static void test_full_table(void **state)
{
	struct dispatch d = { 0 };
	struct device a = { 0 };

	(void)state;
	for (uint64_t i = 0; i < DISPATCH_MAX; i++)
		assert_int_equal(add(&d, i * 16, 16, &a), 0);
	assert_int_equal(add(&d, DISPATCH_MAX * 16ul, 16, &a), -EX_INTERNAL);
	assert_true(dispatch_read(&d, DISPATCH_MAX * 16 - 1, 1) == 0x88);
}

static void test_two_spaces(void **state)
{
	static struct vm vm;
	struct device a = { 0 }, b = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(dispatch_add_pio(&vm, 0x80, 4, on_read, on_write, &a, &e), 0);
	assert_int_equal(dispatch_add_mmio(&vm, 0x80, 4, on_read, on_write, &b, &e), 0);
	dispatch_write(&vm.mmio, 0x80, 4, 7);
	assert_int_equal(a.calls, 0);
	assert_int_equal(b.calls, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),        cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_refused_ranges), cmocka_unit_test(test_full_table),
		cmocka_unit_test(test_two_spaces),
	};

	return cmocka_run_group_tests_name("vmm dispatch", tests, NULL, NULL);
}
