/* Plans of SEV-SNP guests: their rules, one at a time, and the start state they describe. */
#include "common/plan.h"
#include "common/start_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SNP_REGIONS = 9 };

/* A good SEV-SNP plan; region i's table entry is at 128 + 32 * i. */
static uint8_t *make_snp_plan(size_t *size)
{
	static const uint8_t firmware[8192] = { 1 }, hashes[4096] = { 2 }, blob[10] = { 3 };
	struct plan p = { .tee = PLAN_TEE_SNP,
			  .min_ram = 1 << 20,
			  .max_cpus = 4,
			  .vcpu = { 0x100040, 0x120000, 0x101000 | 1ull << 51 },
			  .snp = { 3, PLAN_SNP_POLICY, PLAN_SNP_FEATURES, 51, 0x101fff },
			  .region_count = SNP_REGIONS,
			  .region = { { PLAN_FIRMWARE, 0x100000, sizeof(firmware), firmware },
				      { PLAN_ZERO, 0x110000, 0x70000, NULL },
				      { PLAN_HASH_PAGE, 0x180000, sizeof(hashes), hashes },
				      { PLAN_CPUID_PAGE, 0x182000, 4096, NULL },
				      { PLAN_SECRETS_PAGE, 0x183000, 4096, NULL },
				      { PLAN_BOOT_BLOCK, 0x181000, 4096, NULL },
				      { PLAN_KERNEL, 0x8000000, sizeof(blob), blob },
				      { PLAN_INITRD, 0x8200000, sizeof(blob), blob },
				      { PLAN_CMDLINE, 0x8400000, sizeof(blob), blob } } };
	struct err e = { 0 };

	*size = plan_file_size(&p);
	assert_int_equal(*size, 4096 + 8192 + 4096 + 3 * 4096);
	uint8_t *file = malloc(*size);
	assert_non_null(file);
	assert_int_equal(plan_write(&p, file, *size, &e), 0);
	return file;
}

static void round_trip(void **state)
{
	(void)state;
	size_t size;
	uint8_t *file = make_snp_plan(&size);
	struct plan p;
	struct err e = { 0 };

	assert_int_equal(plan_parse("t", file, size, &p, &e), 0);
	assert_int_equal(p.region_count, SNP_REGIONS);
	assert_int_equal(p.snp.cpus, 3);
	assert_int_equal(p.snp.policy, 0x30000);
	assert_int_equal(p.snp.sev_features, 1);
	assert_int_equal(p.snp.c_bit, 51);
	assert_int_equal(p.snp.ap_rip, 0x101fff);
	assert_null(plan_find(&p, PLAN_ZERO)->data);
	assert_int_equal(plan_find(&p, PLAN_ZERO)->size, 0x70000);
	assert_null(plan_find(&p, PLAN_SECRETS_PAGE)->data);
	uint8_t *again = malloc(size);
	assert_non_null(again);
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

static int parse_snp_changed(size_t offset, uint64_t value, size_t width)
{
	size_t size;
	uint8_t *file = make_snp_plan(&size);
	struct plan p;
	struct err e = { 0 };

	put(file + offset, value, width);
	int r = plan_parse("t", file, size, &p, &e);
	free(file);
	return r;
}

static void rules(void **state)
{
	(void)state;
	static const struct {
		size_t offset;
		uint64_t value;
		size_t width;
		int taken;
	} row[] = {
		{ 8, PLAN_TEE_PLAIN, 4, 0 }, /* then its fields must be zero */
		{ 8, PLAN_TEE_TDX, 4, 0 },
		{ 36, 0, 4, 1 }, /* cpus: any number */
		{ 36, 1, 4, 1 },
		{ 36, 4, 4, 1 },
		{ 36, 5, 4, 0 },
		{ 56, 0x101000, 8, 0 }, /* cr3 without C-bit */
		{ 56, 1ull << 51 | 1ull << 46, 8, 0 },
		{ 56, 1ull << 51 | 1ull << 52, 8, 0 },
		{ 64, 0x20000, 8, 1 }, /* policy */
		{ 64, 0x10000, 8, 0 },
		{ 64, 0x3030000, 8, 1 },
		{ 64, 0x4030000, 8, 0 },
		{ 64, 1ull << 63 | 0x30000, 8, 0 },
		{ 72, 0, 8, 0 }, /* sev_features */
		{ 72, 0x21, 8, 0 },
		{ 80, 50, 4, 0 }, /* c_bit */
		{ 84, 1, 4, 0 },
		{ 88, 0xfffff, 8, 0 }, /* ap_rip */
		{ 88, 0x100000, 8, 1 },
		{ 88, 0x102000, 8, 0 },
		{ 96, 1, 1, 0 },
		{ 160 + 8, 4096, 8, 0 },     /* zero memory with bytes */
		{ 160 + 16, 0x6f800, 8, 0 }, /* and of half a page */
		{ 160 + 16, 0x71000, 8, 0 }, /* over the hash page */
		{ 160 + 24, 10, 4, 0 },
		{ 224 + 8, 4096, 8, 0 },  /* CPUID page with bytes */
		{ 224 + 16, 8192, 8, 0 }, /* and of two pages */
		{ 224 + 16, 1, 8, 0 },
		{ 224 + 24, PLAN_ZERO, 4, 1 },
		{ 224 + 24, PLAN_SECRETS_PAGE, 4, 0 }, /* two of them */
		{ 224 + 24, PLAN_BOOT_BLOCK, 4, 0 },   /* two, and before the secrets page */
		{ 256 + 24, PLAN_CPUID_PAGE, 4, 0 },
		{ 256 + 8, 4096, 8, 0 },
		{ 256 + 16, 8192, 8, 0 },
		{ 288 + 24, PLAN_ZERO, 4, 1 },
	};

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		int r = parse_snp_changed(row[i].offset, row[i].value, row[i].width);
		if (r != (row[i].taken ? 0 : -EX_MALFORMED))
			fail_msg("row %zu (offset %zu) gave %d", i, row[i].offset, r);
	}
}

/* Private memory comes before shared, and at most four regions of it are zero. */
static void order(void **state)
{
	(void)state;
	size_t size;
	uint8_t *file = make_snp_plan(&size), swap[32];
	struct plan p;
	struct err e = { 0 };

	memcpy(swap, file + 256, 32);
	memcpy(file + 256, file + 288, 32);
	memcpy(file + 288, swap, 32);
	assert_int_equal(plan_parse("t", file, size, &p, &e), -EX_MALFORMED);
	assert_non_null(strstr(e.text, "order"));
	free(file);
	file = make_snp_plan(&size);
	put(file + 224 + 24, PLAN_ZERO, 4);
	put(file + 256 + 24, PLAN_ZERO, 4);
	put(file + 288 + 24, PLAN_ZERO, 4);
	memset(&e, 0, sizeof(e));
	assert_int_equal(plan_parse("t", file, size, &p, &e), 0);
	uint8_t *wider = calloc(1, size);
	assert_non_null(wider);
	struct plan five = p;
	five.region_count = 7;
	five.region[6] = (struct plan_region){ PLAN_ZERO, 0x190000, 4096, NULL };
	size_t smaller = plan_file_size(&five);
	assert_true(smaller != 0 && smaller <= size);
	assert_int_equal(plan_write(&five, wider, smaller, &e), 0);
	memset(&e, 0, sizeof(e));
	assert_int_equal(plan_parse("t", wider, smaller, &p, &e), -EX_MALFORMED);
	assert_non_null(strstr(e.text, "more regions"));
	free(wider);
	free(file);
}

static void start_states_differ_in_rip(void **state)
{
	(void)state;
	size_t size;
	uint8_t *file = make_snp_plan(&size);
	struct start_state first, second;
	struct plan p;
	struct err e = { 0 };

	assert_int_equal(plan_parse("t", file, size, &p, &e), 0);
	start_state_of(&p, 0, &first);
	start_state_of(&p, 2, &second);
	assert_int_equal(first.rip, 0x100040);
	assert_int_equal(second.rip, 0x101fff);
	assert_int_equal(first.cr3, 0x101000 | 1ull << 51);
	assert_int_equal(first.rsp, 0x120000);
	assert_int_equal(first.sev_features, 1);
	second.rip = first.rip;
	assert_memory_equal(&first, &second, sizeof(first));
	free(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(rules),
		cmocka_unit_test(order),
		cmocka_unit_test(start_states_differ_in_rip),
	};
	return cmocka_run_group_tests_name("plan_snp", tests, NULL, NULL);
}
