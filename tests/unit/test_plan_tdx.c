/* Plans of trust domains: their rules, one at a time. */
#include "common/plan.h"
#include "firmware/layout.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { TDX_REGIONS = 9, TABLE = 128, ENTRY = 32 };
enum { GPA = 0, OFFSET = 8, SIZE = 16, TYPE = 24 }; /* fields of an entry */
enum { IMAGE, SCRATCH, HASHES, MAILBOX, RESET, BLOCK, KERNEL, INITRD, CMDLINE }; /* regions */

static uint8_t firmware[8192], hashes[4096] = { 2 }, blob[10] = { 3 };

/* A good plan of a trust domain. */
static struct plan good_plan(void)
{
	memset(firmware, 1, sizeof(firmware));
	memset(firmware + 4096, 7, 4096);
	return (struct plan){ .tee = PLAN_TEE_TDX,
			      .min_ram = 1 << 20,
			      .max_cpus = 4,
			      .vcpu = { FW_RESET_VECTOR, 0, 0 },
			      .tdx = { PLAN_TDX_ATTRIBUTES, PLAN_TDX_XFAM, TDX_GPAW },
			      .region_count = TDX_REGIONS,
			      .region = {
				      { PLAN_FIRMWARE, 0x100000, sizeof(firmware), firmware },
				      { PLAN_ZERO, 0x110000, 0x70000, NULL },
				      { PLAN_HASH_PAGE, 0x180000, sizeof(hashes), hashes },
				      { PLAN_MAILBOX, 0x186000, 4096, NULL },
				      { PLAN_RESET_PAGE, FW_RESET_PAGE, 4096, firmware + 4096 },
				      { PLAN_BOOT_BLOCK, 0x181000, 4096, NULL },
				      { PLAN_KERNEL, 0x8000000, sizeof(blob), blob },
				      { PLAN_INITRD, 0x8200000, sizeof(blob), blob },
				      { PLAN_CMDLINE, 0x8400000, sizeof(blob), blob },
			      } };
}

static uint8_t *write_plan(const struct plan *p, size_t *size)
{
	struct err e = { 0 };

	*size = plan_file_size(p);
	uint8_t *file = malloc(*size);
	assert_non_null(file);
	assert_int_equal(plan_write(p, file, *size, &e), 0);
	return file;
}

static int parse_written(const struct plan *p, struct err *e)
{
	struct plan taken;
	size_t size;
	uint8_t *file = write_plan(p, &size);
	int r = plan_parse("t", file, size, &taken, e);

	free(file);
	return r;
}

static void round_trip(void **state)
{
	(void)state;
	struct plan made = good_plan(), p;
	struct err e = { 0 };
	size_t size;
	uint8_t *file = write_plan(&made, &size), *again = malloc(size);

	assert_non_null(again);
	assert_int_equal(size, 4096 + 8192 + 4096 + 4096 + 3 * 4096);
	assert_int_equal(plan_parse("t", file, size, &p, &e), 0);
	assert_int_equal(p.region_count, TDX_REGIONS);
	assert_int_equal(p.tdx.attributes, 1u << 28);
	assert_int_equal(p.tdx.xfam, 0xE7);
	assert_int_equal(p.tdx.gpaw, 48);
	assert_int_equal(p.vcpu.rip, 0xFFFFFFF0);
	assert_null(plan_find(&p, PLAN_MAILBOX)->data);
	assert_memory_equal(plan_find(&p, PLAN_RESET_PAGE)->data, firmware + 4096, 4096);
	assert_int_equal(plan_write(&p, again, size, &e), 0);
	assert_memory_equal(file, again, size);
	free(again);
	free(file);
}

static void put(uint8_t *at, uint64_t value, size_t width)
{
	for (size_t i = 0; i < width; i++)
		at[i] = (uint8_t)(value >> (8 * i));
}

struct change {
	size_t offset;
	uint64_t value;
	size_t width;
	int taken;
};

static void check_changes(const struct change *row, size_t count)
{
	struct plan made = good_plan(), p;

	for (size_t i = 0; i < count; i++) {
		struct err e = { 0 };
		size_t size;
		uint8_t *file = write_plan(&made, &size);
		put(file + row[i].offset, row[i].value, row[i].width);
		int r = plan_parse("t", file, size, &p, &e);
		free(file);
		if (r != (row[i].taken ? 0 : -EX_MALFORMED))
			fail_msg("row %zu (offset %zu) gave %d: %s", i, row[i].offset, r, e.text);
	}
}

static void header(void **state)
{
	(void)state;
	static const struct change row[] = {
		{ 8, PLAN_TEE_PLAIN, 4, 0 }, /* then its fields must be zero */
		{ 8, PLAN_TEE_SNP, 4, 0 },
		{ 36, 1, 4, 0 }, /* fields of SEV-SNP */
		{ 64, PLAN_SNP_POLICY, 8, 0 },
		{ 72, 1, 8, 0 },
		{ 80, 51, 4, 0 },
		{ 88, 0x100000, 8, 0 },
		{ 40, 0xFFFFFFEF, 8, 0 }, /* rip */
		{ 40, 0xFFFFFFF1, 8, 0 },
		{ 40, 0x100040, 8, 0 },
		{ 48, 0x120000, 8, 0 }, /* rsp */
		{ 56, 0x101000, 8, 0 }, /* cr3 */
		{ 96, 0, 8, 0 },	/* attributes */
		{ 96, 1u << 28 | 1, 8, 0 }, /* DEBUG */
		{ 96, 1ull << 63 | 1u << 28, 8, 0 },
		{ 104, 3, 8, 1 }, /* xfam */
		{ 104, 0x6DBE7, 8, 1 },
		{ 104, 0xE6, 8, 0 },
		{ 104, 0xE5, 8, 0 },
		{ 104, 0xFF, 8, 0 },
		{ 104, 1ull << 63 | 3, 8, 0 },
		{ 112, 52, 4, 0 }, /* gpaw */
		{ 112, 0, 4, 0 },
		{ 116, 1, 1, 0 }, /* reserved */
		{ 127, 1, 1, 0 },
	};

	check_changes(row, sizeof(row) / sizeof(row[0]));
}

static void regions(void **state)
{
	(void)state;
	static const struct change row[] = {
		{ TABLE + SCRATCH * ENTRY + OFFSET, 4096, 8, 0 },
		{ TABLE + SCRATCH * ENTRY + SIZE, 0x6f800, 8, 0 },
		{ TABLE + SCRATCH * ENTRY + TYPE, PLAN_CPUID_PAGE, 4, 0 }, /* of SEV-SNP alone */
		{ TABLE + MAILBOX * ENTRY + TYPE, PLAN_CPUID_PAGE, 4, 0 },
		{ TABLE + MAILBOX * ENTRY + TYPE, PLAN_SECRETS_PAGE, 4, 0 },
		{ TABLE + MAILBOX * ENTRY + TYPE, PLAN_ZERO, 4, 1 },
		{ TABLE + MAILBOX * ENTRY + TYPE, PLAN_BOOT_BLOCK, 4, 0 },
		{ TABLE + MAILBOX * ENTRY + TYPE, PLAN_MAILBOX + 1, 4, 0 },
		{ TABLE + MAILBOX * ENTRY + SIZE, 8192, 8, 0 },
		{ TABLE + MAILBOX * ENTRY + SIZE, 1, 8, 0 },
		{ TABLE + MAILBOX * ENTRY + OFFSET, 4096, 8, 0 },
		{ TABLE + BLOCK * ENTRY + TYPE, PLAN_MAILBOX, 4, 0 }, /* two */
		{ TABLE + RESET * ENTRY + GPA, FW_RESET_PAGE - 4096, 8, 0 },
		{ TABLE + RESET * ENTRY + GPA, 0x187000, 8, 0 },
		{ TABLE + RESET * ENTRY + SIZE, 4095, 8, 0 },
		{ TABLE + RESET * ENTRY + TYPE, PLAN_KERNEL, 4, 0 },
		{ TABLE + RESET * ENTRY + TYPE, PLAN_HASH_PAGE, 4, 0 },
		{ 4096 + 4096, 0, 1, 0 }, /* the image's last page, changed */
		{ 4096 + 8191, 0, 1, 0 },
		{ 4096 + 4095, 0, 1, 1 },      /* and the page before */
		{ 4096 + 8192 + 4096, 0, 1, 0 }, /* the reset page, changed */
		{ 4096 + 8192 + 8191, 0, 1, 0 },
	};

	check_changes(row, sizeof(row) / sizeof(row[0]));
}

/* Private memory comes before shared: the table's order is that of the measurement. */
static void order(void **state)
{
	(void)state;
	struct plan p = good_plan();
	struct err e = { 0 };
	struct plan_region block = p.region[BLOCK];

	p.region[BLOCK] = p.region[RESET];
	p.region[RESET] = block;
	assert_int_equal(parse_written(&p, &e), -EX_MALFORMED);
	assert_non_null(strstr(e.text, "order"));
	memset(&e, 0, sizeof(e));
	p = good_plan();
	struct plan_region scratch = p.region[SCRATCH];
	p.region[SCRATCH] = p.region[RESET];
	p.region[RESET] = scratch;
	assert_int_equal(parse_written(&p, &e), 0);
}

/* Without a reset page no processor starts; with two the second would be anything. */
static void one_reset_page(void **state)
{
	(void)state;
	struct plan p = good_plan();
	struct err e = { 0 };

	p.region[RESET] = (struct plan_region){ PLAN_ZERO, FW_RESET_PAGE, 4096, NULL };
	assert_int_equal(parse_written(&p, &e), -EX_MALFORMED);
	assert_non_null(strstr(e.text, "reset page"));
	memset(&e, 0, sizeof(e));
	p = good_plan();
	p.region[HASHES] = (struct plan_region){ PLAN_RESET_PAGE, 0x180000, 4096, firmware };
	assert_int_equal(parse_written(&p, &e), -EX_MALFORMED);
	assert_non_null(strstr(e.text, "more regions"));
}

/* An image that ends inside a page: its last page is the one with the zeros after it. */
static void padded_image(void **state)
{
	(void)state;
	static uint8_t last[4096];
	struct plan p = good_plan();
	struct err e = { 0 };

	memcpy(last, firmware + 4096, 100);
	p.region[IMAGE].size = 4096 + 100;
	p.region[RESET].data = last;
	assert_int_equal(parse_written(&p, &e), 0);
	last[100] = 1;
	assert_int_equal(parse_written(&p, &e), -EX_MALFORMED);
}

/* Other guests have neither the fields nor the regions. */
static void of_trust_domains_alone(void **state)
{
	(void)state;
	struct plan p = good_plan();
	struct err e = { 0 };

	p.tee = PLAN_TEE_PLAIN;
	p.vcpu.rip = 0x100040;
	assert_int_equal(parse_written(&p, &e), -EX_MALFORMED);
	assert_non_null(strstr(e.text, "fields of TDX"));
	memset(&e, 0, sizeof(e));
	p.tdx = (struct plan_tdx){ 0 };
	assert_int_equal(parse_written(&p, &e), -EX_MALFORMED);
	assert_non_null(strstr(e.text, "unknown type"));
}

static void launched_types(void **state)
{
	(void)state;
	assert_true(plan_is_launched(PLAN_RESET_PAGE));
	assert_true(plan_is_launched(PLAN_MAILBOX));
	assert_true(plan_is_launched(PLAN_ZERO));
	assert_false(plan_is_launched(PLAN_BOOT_BLOCK));
	assert_false(plan_is_launched(PLAN_KERNEL));
	assert_true(plan_has_bytes(PLAN_RESET_PAGE));
	assert_false(plan_has_bytes(PLAN_MAILBOX));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(header),
		cmocka_unit_test(regions),
		cmocka_unit_test(order),
		cmocka_unit_test(one_reset_page),
		cmocka_unit_test(padded_image),
		cmocka_unit_test(of_trust_domains_alone),
		cmocka_unit_test(launched_types),
	};
	return cmocka_run_group_tests_name("plan_tdx", tests, NULL, NULL);
}
