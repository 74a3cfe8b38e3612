/* bzImage header, command line form, places, zero page. */
#include "firmware/bzimage.h"
#include "firmware/staging.h"
#include "firmware/zeropage.h"
#include "tests/unit/fw_fixtures.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct {
	const char *name;
	unsigned offset, bytes;
	uint64_t value;
	enum fw_stop want;
} rows[] = {
	{ "boot flag", BZ_BOOT_FLAG, 2, 0xAA54, STOP_KERNEL_MAGIC },
	{ "magic", BZ_MAGIC, 1, 'h', STOP_KERNEL_MAGIC },
	{ "protocol 2.11", BZ_VERSION, 2, 0x20B, STOP_KERNEL_PROTOCOL },
	{ "not loaded high", BZ_LOADFLAGS, 1, 0, STOP_KERNEL_PROTOCOL },
	{ "no 64-bit entry", BZ_XLOADFLAGS, 2, 0x7E, STOP_KERNEL_PROTOCOL },
	{ "header too short", BZ_JUMP_LENGTH, 1, 0x61, STOP_KERNEL_BOUNDS },
	{ "setup longer than file", BZ_SETUP_SECTS, 1, 9, STOP_KERNEL_BOUNDS },
	{ "setup_sects 0 means 4: no room for the entry", BZ_SETUP_SECTS, 1, 255,
	  STOP_KERNEL_BOUNDS },
	{ "payload starts outside", BZ_PAYLOAD_OFFSET, 4, 0x1001, STOP_KERNEL_BOUNDS },
	{ "payload ends outside", BZ_PAYLOAD_LENGTH, 4, 0xD01, STOP_KERNEL_BOUNDS },
	{ "payload wraps", BZ_PAYLOAD_LENGTH, 4, 0xFFFFFFFF, STOP_KERNEL_BOUNDS },
	{ "unaligned address", BZ_PREF_ADDRESS, 8, 0x1001000, STOP_KERNEL_BOUNDS },
	{ "over the firmware", BZ_PREF_ADDRESS, 8, 0, STOP_KERNEL_BOUNDS },
	{ "into the staging area", BZ_PREF_ADDRESS, 8, 0x4A00000, STOP_KERNEL_BOUNDS },
	{ "address wraps", BZ_PREF_ADDRESS, 8, 0xFFFFFFFFFFE00000, STOP_KERNEL_BOUNDS },
	{ "init_size below the file", BZ_INIT_SIZE, 4, 0xFFF, STOP_KERNEL_BOUNDS },
	{ "init_size too large", BZ_INIT_SIZE, 4, 0x7000001, STOP_KERNEL_BOUNDS },
};

static void every_header_rule_refuses(void **state)
{
	uint8_t file[FIXTURE_KERNEL_SIZE];
	struct fw_bzimage k;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fixture_kernel(file);
		assert_int_equal(fw_bzimage_parse(file, sizeof(file), &k), STOP_HANDED_OVER);
		fixture_store(file + rows[i].offset, rows[i].value, rows[i].bytes);
		if (fw_bzimage_parse(file, sizeof(file), &k) != rows[i].want)
			fail_msg("%s: not stopped with 0x%02x", rows[i].name,
				 (unsigned)rows[i].want);
	}
}

static void header_values(void **state)
{
	uint8_t file[FIXTURE_KERNEL_SIZE];
	struct fw_bzimage k;

	(void)state;
	fixture_kernel(file);
	assert_int_equal(fw_bzimage_parse(file, sizeof(file), &k), STOP_HANDED_OVER);
	assert_true(k.setup_size == 1024 && k.load_size == 0x1000 && k.pref_address == 0x1000000);
	assert_int_equal(k.init_size, 0x3700000);
	assert_int_equal(k.header_end, 0x26C);
	assert_true(k.initrd_addr_max == UINT32_MAX && k.cmdline_size == 2047);
	/* Without CAN_BE_LOADED_ABOVE_4G the header's own limit holds. */
	file[BZ_XLOADFLAGS] = 1;
	assert_int_equal(fw_bzimage_parse(file, sizeof(file), &k), STOP_HANDED_OVER);
	assert_int_equal(k.initrd_addr_max, 0x7FFFFFFF);
	/* A header said to be longer than boot_params' room is cut. */
	file[BZ_JUMP_LENGTH] = 0xFF;
	assert_int_equal(fw_bzimage_parse(file, sizeof(file), &k), STOP_HANDED_OVER);
	assert_int_equal(k.header_end, BZ_HEADER_MAX);
}

/* Files cut anywhere, in exact allocations so that a sanitizer sees an overread. */
static void cut_files(void **state)
{
	uint8_t file[FIXTURE_KERNEL_SIZE];
	struct fw_bzimage k;

	(void)state;
	fixture_kernel(file);
	for (size_t n = 0; n < FIXTURE_KERNEL_SETUP + BZ_ENTRY_64 + 2; n++) {
		uint8_t *cut = malloc(n + (n == 0));

		assert_non_null(cut);
		memcpy(cut, file, n);
		assert_int_not_equal(fw_bzimage_parse(cut, n, &k), STOP_HANDED_OVER);
		free(cut);
	}
}

static void command_line_form(void **state)
{
	static const uint8_t text[] = "a b";

	(void)state;
	assert_int_equal(fw_cmdline_check(text, 4, 3), STOP_HANDED_OVER);
	assert_int_equal(fw_cmdline_check(text + 3, 1, 0), STOP_HANDED_OVER);
	assert_int_equal(fw_cmdline_check(text, 4, 2), STOP_CMDLINE_FORM);
	assert_int_equal(fw_cmdline_check(text, 3, 9), STOP_CMDLINE_FORM);
	assert_int_equal(fw_cmdline_check(text, 0, 9), STOP_CMDLINE_FORM);
	assert_int_equal(fw_cmdline_check((const uint8_t *)"a\0b", 4, 9), STOP_CMDLINE_FORM);
}

static void staging_places(void **state)
{
	struct fw_staging s;

	(void)state;
	assert_int_equal(fw_staging(FW_STAGING_ALIGN, FW_STAGING_ALIGN + 1, 1, &s), 0);
	assert_true(s.kernel == 0x8000000 && s.initrd == 0x8200000 && s.cmdline == 0x8600000 &&
		    s.end == 0x8800000);
	assert_int_equal(fw_staging(1, 0, 1, &s), 0);
	assert_true(s.initrd == 0x8200000 && s.cmdline == 0x8200000);
	assert_int_equal(fw_staging(UINT64_MAX, 0, 1, &s), -1);
	assert_int_equal(fw_staging(1, MMIO_HOLE_BASE - FW_STAGING, 1, &s), -1);
	assert_true(fw_staging_min_ram(1, 1, 1) == 0x8600000 + 2 * 0x200000);
	assert_true(fw_staging_min_ram(MMIO_HOLE_BASE / 2, 1, 1) == 0);
}

static void initrd_places(void **state)
{
	struct fw_boot_block b;
	struct fw_initrd_place p;

	(void)state;
	fixture_boot_block(&b);
	assert_int_equal(fw_initrd_place(&b, 0x7FFFFFFF, 0x9000000, 5000, &p), 0);
	assert_true(p.base == 0x20000000 - 0x2000 && p.size == 5000);
	assert_int_equal(fw_initrd_place(&b, 0x0FFFFFFF, 0x9000000, 4096, &p), 0);
	assert_true(p.base == 0x10000000 - 0x1000);
	assert_int_equal(fw_initrd_place(&b, 0x0FFFFFFF, 0x10000000 - 0xFFF, 4096, &p), -1);
	assert_int_equal(fw_initrd_place(&b, 0xFFF, 0, 4097, &p), -1);
	assert_int_equal(fw_initrd_place(&b, 0x7FFFFFFF, 0x9000000, UINT64_MAX, &p), -1);
	assert_int_equal(fw_initrd_place(&b, 0x7FFFFFFF, 0x9000000, 0, &p), 0);
	assert_true(p.base == 0 && p.size == 0);
}

/* Whatever pavise measure takes (kernels to 256 MiB, initrds to 1 GiB) is staged and copied below
 * 3 GiB, in the very memory that the plan demands: no initrd needs to lie above 4 GiB. */
static void large_initrds_fit_the_minimum(void **state)
{
	static const uint64_t mib = 1u << 20;
	static const uint64_t kernels[] = { 1, 12u << 20, (58u << 20) + 1, 256u << 20 };
	static const uint64_t initrds[] = { 1, (300u << 20) - 1, 600u << 20, (600u << 20) + 1,
					    1024u << 20 };
	struct fw_initrd_place p;
	struct fw_boot_block b;
	struct fw_staging s;

	(void)state;
	fixture_boot_block(&b);
	b.ram_count = 2;
	for (size_t k = 0; k < sizeof(kernels) / sizeof(kernels[0]); k++)
		for (size_t i = 0; i < sizeof(initrds) / sizeof(initrds[0]); i++) {
			uint64_t need = fw_staging_min_ram(kernels[k], initrds[i], FW_PAGE), floor;

			assert_true(need != 0 && need <= MMIO_HOLE_BASE);
			assert_int_equal(fw_staging(kernels[k], initrds[i], FW_PAGE, &s), 0);
			floor = s.end + kernels[k];
			b.ram[1].size = need - FW_HIGH_RAM_BASE;
			assert_int_equal(fw_initrd_place(&b, UINT32_MAX, floor, initrds[i], &p), 0);
			assert_true(p.base >= floor && p.base + p.size <= need);
			/* Without the flag, 2 GiB is the end: less room, never another place. */
			if (fw_initrd_place(&b, 0x7FFFFFFF, floor, initrds[i], &p) == 0)
				assert_true(p.base >= floor && p.base + p.size <= 2048 * mib);
			else
				assert_true(need > 2048 * mib);
		}
	/* What is too large to be copied below 3 GiB is no plan. */
	assert_true(fw_staging_min_ram(256 * mib, 1400 * mib, 1) == 0);
}

static uint64_t load(const uint8_t *p, unsigned bytes)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < bytes; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

static void zero_page_fields(void **state)
{
	struct fw_initrd_place initrd = { 0x1FFFE000, 5000 };
	uint8_t file[FIXTURE_KERNEL_SIZE], page[FW_PAGE];
	struct fw_boot_block b;
	struct fw_kernel k;

	(void)state;
	fixture_boot_block(&b);
	fixture_kernel(file);
	/* What the file claims about pointers must not survive. */
	fixture_store(file + BZ_SETUP_DATA, 0x1122334455667788, 8);
	fixture_store(file + BZ_CMD_LINE_PTR, 0xDEADBEEF, 4);
	assert_int_equal(fw_kernel_parse(file, sizeof(file), FW_VARIANT_PLAIN, &k), STOP_HANDED_OVER);
	memset(page, 0xEE, sizeof(page));
	fw_zero_page_build(page, file, &k, &b, &initrd);
	assert_true(load(page + 0x70, 8) == FW_ACPI);
	assert_true(load(page + BZ_SETUP_DATA, 8) == 0);
	assert_true(load(page + BZ_CMD_LINE_PTR, 4) == FW_CMDLINE);
	assert_true(load(page + BZ_RAMDISK_IMAGE, 4) == initrd.base);
	assert_true(load(page + BZ_RAMDISK_SIZE, 4) == initrd.size);
	assert_int_equal(page[BZ_TYPE_OF_LOADER], 0xFF);
	assert_memory_equal(page + BZ_MAGIC, "HdrS", 4);
	assert_int_equal(page[0x1EF], 0); /* sentinel: boot.rst */
	assert_true(load(page + 0x26C, 8) == 0);
}

/* The memory map is sorted and disjoint, offers no byte of ours, and all other RAM. */
static void memory_map(void **state)
{
	struct fw_initrd_place none = { 0, 0 };
	uint8_t file[FIXTURE_KERNEL_SIZE], page[FW_PAGE];
	uint64_t ram = 0, floor = 0, base, size;
	struct fw_boot_block b;
	struct fw_kernel k;

	(void)state;
	fixture_boot_block(&b);
	fixture_kernel(file);
	assert_int_equal(fw_kernel_parse(file, sizeof(file), FW_VARIANT_PLAIN, &k), STOP_HANDED_OVER);
	fw_zero_page_build(page, file, &k, &b, &none);
	assert_int_equal(page[0x1E8], 9);
	for (size_t i = 0; i < page[0x1E8]; i++) {
		const uint8_t *entry = page + 0x2D0 + 20 * i;

		base = load(entry, 8);
		size = load(entry + 8, 8);
		assert_true(base >= floor && size > 0);
		floor = base + size;
		/* Logs are kept: type 4. */
		assert_int_equal(load(entry + 16, 4) == 4, base == FW_EVENT_LOG || base == FW_CC_LOG);
		if (load(entry + 16, 4) != 1)
			continue;
		ram += size;
		assert_true(floor <= FW_LOW_RAM_END || base >= FW_RESERVED_END);
	}
	assert_true(ram == FW_LOW_RAM_END + 0x20000000u - FW_RESERVED_END + 0x80000000u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_header_rule_refuses),
		cmocka_unit_test(header_values),
		cmocka_unit_test(cut_files),
		cmocka_unit_test(command_line_form),
		cmocka_unit_test(staging_places),
		cmocka_unit_test(initrd_places),
		cmocka_unit_test(large_initrds_fit_the_minimum),
		cmocka_unit_test(zero_page_fields),
		cmocka_unit_test(memory_map),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
