#include "attest/measure/expect.h"
#include "attest/measure/hash_page.h"
#include "attest/measure/image.h"
#include "attest/measure/parts.h"
#include "attest/measure/size.h"
#include "common/boot_block.h"
#include "firmware/bootblock.h"
#include "firmware/bzimage.h"
#include "firmware/hashpage.h"
#include "tests/unit/fake_files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint8_t firmware[FAKE_FIRMWARE_SIZE], kernel[FAKE_KERNEL_SIZE];

static int set_up(void **state)
{
	(void)state;
	fake_firmware(firmware);
	fake_kernel(kernel);
	return 0;
}

static int check_kernel(const uint8_t *data, size_t size, struct bzimage *out)
{
	struct err e = { 0 };
	uint8_t *exact = malloc(size + 1);

	assert_non_null(exact);
	memcpy(exact, data, size);
	int r = bzimage_check("kernel", exact, size, out, &e);
	free(exact);
	return r;
}

/* What is measured must boot: whatever passes here passes the firmware's parser, with the same
 * values. Each byte of the header takes several values, and the file each length. */
static void agrees_with_firmware(void **state)
{
	(void)state;
	static const uint8_t flips[] = { 0x01, 0x80, 0xff, 0x10, 0x7f };
	struct bzimage ours;
	struct fw_bzimage theirs;
	unsigned accepted = 0;

	assert_int_equal(check_kernel(kernel, sizeof(kernel), &ours), 0);
	for (size_t i = 0x1f1; i < 0x290; i++)
		for (size_t k = 0; k < sizeof(flips); k++) {
			kernel[i] ^= flips[k];
			if (check_kernel(kernel, sizeof(kernel), &ours) == 0) {
				accepted++;
				assert_int_equal(fw_bzimage_parse(kernel, sizeof(kernel), &theirs),
						 0);
				assert_int_equal(ours.pref_address, theirs.pref_address);
				assert_int_equal(ours.init_size, theirs.init_size);
				assert_int_equal(ours.cmdline_size, theirs.cmdline_size);
				assert_int_equal(ours.initrd_addr_max, theirs.initrd_addr_max);
			}
			kernel[i] ^= flips[k];
		}
	assert_true(accepted > 100 && accepted < 700);
	for (size_t n = 0; n < sizeof(kernel); n += n < 4096 ? 1 : 97)
		if (check_kernel(kernel, n, &ours) == 0)
			assert_int_equal(fw_bzimage_parse(kernel, n, &theirs), 0);
}

/* The firmware takes the hash page and the boot blocks that we make. */
static void firmware_takes_pages(void **state)
{
	(void)state;
	struct hash_page_input in = { .variant = FW_VARIANT_PLAIN,
				      .kernel = kernel,
				      .kernel_size = sizeof(kernel),
				      .cmdline = "quiet",
				      .min_ram = 138u << 20,
				      .max_cpus = 256,
				      .require_tpm = 1 };
	static const uint64_t memory[] = { 138u << 20, 512u << 20, 3ull << 30, 5ull << 30 };
	struct fw_limits limits = { .min_ram = 138u << 20, .max_cpus = 256, .require_tpm = 1 };
	struct fw_hash_page page;
	struct fw_boot_block block;
	struct err e = { 0 };
	uint8_t bytes[FW_PAGE];

	for (int initrd = 0; initrd < 2; initrd++) {
		in.initrd = initrd ? kernel : NULL;
		in.initrd_size = initrd ? 100 : 0;
		assert_int_equal(hash_page_fill(&in, bytes, &e), 0);
		memcpy(&page, bytes, sizeof(page));
		assert_int_equal(fw_hash_page_check(&page, FW_VARIANT_PLAIN), STOP_HANDED_OVER);
	}
	for (size_t i = 0; i < sizeof(memory) / sizeof(memory[0]); i++)
		for (uint32_t cpus = 1; cpus <= FW_BOOT_CPU_MAX; cpus += 51) {
			assert_int_equal(boot_block_fill(&block, memory[i], cpus, 1, 16, &e), 0);
			assert_int_equal(fw_boot_block_check(&block, &limits, 46),
					 STOP_HANDED_OVER);
			assert_int_equal(fw_boot_block_ram(&block), memory[i]);
		}
}

static void image_rules(void **state)
{
	(void)state;
	struct fw_image_header h;
	struct err e = { 0 };
	/* Offsets of the header: firmware/layout.h. */
	static const struct {
		size_t at;
		uint8_t value;
	} bad[] = {
		{ 0, 'X' }, { 8, 2 },  { 17, 0x30 }, { 22, 1 }, { 20, 3 },
		{ 24, 1 },  { 26, 1 }, { 30, 8 },    { 28, 1 }, { 34, 1 },
		{ 36, 1 },  { 38, 1 }, { 42, 1 },    { 46, 1 }, { 50, 1 },
	};

	assert_int_equal(
		firmware_image_check("fw", firmware, sizeof(firmware), FW_VARIANT_PLAIN, &h, &e),
		0);
	assert_int_equal(h.entry, 1024);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		uint8_t old = firmware[bad[i].at];
		e = (struct err){ 0 };
		firmware[bad[i].at] = bad[i].value;
		if (bad[i].at == 20) /* entry inside the header */
			firmware[21] = 0;
		if (firmware_image_check("fw", firmware, sizeof(firmware), FW_VARIANT_PLAIN, &h,
					 &e) != -EX_MALFORMED)
			fail_msg("header byte %zu = %u accepted", bad[i].at, bad[i].value);
		firmware[bad[i].at] = old;
		firmware[21] = 4;
	}
}

static struct plain_input sample(void)
{
	return (struct plain_input){ .firmware = { "fw", firmware, sizeof(firmware) },
				     .kernel = { "kernel", kernel, sizeof(kernel) },
				     .initrd = { "initrd", kernel, 100 },
				     .cmdline = "quiet",
				     .max_cpus = 4,
				     .require_tpm = 1 };
}

/* A plan that is read back leads to the same values; one changed byte of a blob is noticed. */
static void plan_round_trip(void **state)
{
	(void)state;
	struct plain_plan *p = calloc(1, sizeof(*p));
	struct plain_input in = sample();
	struct plain_contents c;
	struct plan again;
	struct err e = { 0 };

	assert_non_null(p);
	assert_int_equal(plain_plan_build(&in, p, &e), 0);
	size_t size = plan_file_size(&p->plan);
	uint8_t *file = malloc(size);
	assert_non_null(file);
	assert_int_equal(plan_write(&p->plan, file, size, &e), 0);
	assert_int_equal(plan_parse("plan", file, size, &again, &e), 0);
	assert_int_equal(plain_plan_open("plan", &again, &c, &e), 0);
	assert_string_equal(c.cmdline, "quiet");
	assert_int_equal(c.initrd.size, 100);
	for (uint32_t i = 0; i < again.region_count; i++) {
		const struct plan_region *g = &again.region[i];
		if (g->data == NULL || g->type == PLAN_FIRMWARE)
			continue;
		uint8_t *byte = file + (g->data - file) + g->size - 1;
		*byte ^= 1;
		e = (struct err){ 0 };
		assert_int_equal(plain_plan_open("plan", &again, &c, &e), -EX_MALFORMED);
		*byte ^= 1;
	}
	free(file);
	free(p);
}

/* Each choice of the host reaches PCR 1 and no other; each file its own PCR. */
static void what_reaches_which(void **state)
{
	(void)state;
	struct plain_plan *p = calloc(1, sizeof(*p));
	struct expectation *x = calloc(2, sizeof(*x));
	struct plain_input in = sample();
	struct plain_contents c;
	struct expect_base base;
	struct err e = { 0 };
	struct machine first = { .memory = 512u << 20, .cpus = 1, .pci_slots = 2 };
	struct machine others[] = { first, first, first };

	others[0].memory = 514u << 20;
	others[1].cpus = 2;
	others[2].pci_slots = 3;
	assert_non_null(p);
	assert_non_null(x);
	assert_int_equal(plain_plan_build(&in, p, &e), 0);
	assert_int_equal(plain_plan_open("plan", &p->plan, &c, &e), 0);
	assert_int_equal(expect_base_make(&c, &base, &e), 0);
	assert_int_equal(expect_machine(&base, &first, &x[0], &e), 0);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(expect_machine(&base, &others[i], &x[1], &e), 0);
		for (unsigned pcr = 0; pcr < EXPECT_PCRS; pcr++)
			assert_int_equal(memcmp(x[0].pcr[0][pcr], x[1].pcr[0][pcr], 32) != 0,
					 pcr == 1);
	}
	kernel[sizeof(kernel) - 1] ^= 1;
	assert_int_equal(plain_plan_build(&in, p, &e), 0);
	assert_int_equal(plain_plan_open("plan", &p->plan, &c, &e), 0);
	assert_int_equal(expect_base_make(&c, &base, &e), 0);
	assert_int_equal(expect_machine(&base, &first, &x[1], &e), 0);
	kernel[sizeof(kernel) - 1] ^= 1;
	for (unsigned pcr = 0; pcr < EXPECT_PCRS; pcr++)
		assert_int_equal(memcmp(x[0].pcr[1][pcr], x[1].pcr[1][pcr], 48) != 0,
				 pcr == 1 || pcr == 4);
	free(x);
	free(p);
}

static void boot_blocks(void **state)
{
	(void)state;
	struct fw_boot_block b;
	struct err e = { 0 };

	assert_int_equal(boot_block_fill(&b, 5ull << 30, 3, 1, 2, &e), 0);
	assert_int_equal(b.ram_count, 3);
	assert_int_equal(b.ram[0].size, 0xA0000);
	assert_int_equal(b.ram[1].base + b.ram[1].size, 3ull << 30);
	assert_int_equal(b.ram[2].base, 4ull << 30);
	assert_int_equal(b.ram[2].size, 2ull << 30);
	assert_int_equal(b.apic_id[2], 2);
	assert_int_equal(b.apic_id[3], 0);
	assert_int_equal(boot_block_fill(&b, 3ull << 30, 1, 1, 2, &e), 0);
	assert_int_equal(b.ram_count, 2);
	static const struct {
		uint64_t memory;
		uint32_t cpus, slots;
	} bad[] = { { 0, 1, 0 },	  { 2u << 20, 1, 0 },	  { 513u << 20, 1, 0 },
		    { 512u << 20, 0, 0 }, { 512u << 20, 257, 0 }, { 512u << 20, 1, 17 },
		    { 1ull << 46, 1, 0 }, { ~0ull << 21, 1, 0 } };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		e = (struct err){ 0 };
		assert_int_equal(
			boot_block_fill(&b, bad[i].memory, bad[i].cpus, 1, bad[i].slots, &e),
			-EX_USAGE_ERROR);
	}
}

/* The largest initrd, by its size alone, and kernels that take it up to 4 GiB or 2 GiB. */
static void initrd_below_the_kernels_limit(void **state)
{
	(void)state;
	static struct plain_plan plan;
	struct plain_input in = { .firmware = { "fw", firmware, sizeof(firmware) },
				  .kernel = { "kernel", kernel, sizeof(kernel) },
				  .initrd = { "initrd", kernel, MEASURE_INITRD_MAX },
				  .cmdline = "",
				  .max_cpus = 1 };
	struct err e = { 0 };

	assert_int_equal(parts_check(&in, FW_VARIANT_PLAIN, &plan, &e), 0);
	kernel[0x236] = 1; /* xloadflags: no CAN_BE_LOADED_ABOVE_4G */
	assert_int_equal(parts_check(&in, FW_VARIANT_PLAIN, &plan, &e), -EX_MALFORMED);
	assert_non_null(strstr(e.text, "too large for this kernel"));
	in.initrd.size = 600u << 20;
	assert_int_equal(parts_check(&in, FW_VARIANT_PLAIN, &plan, &e), 0);
	in.initrd.size = MEASURE_INITRD_MAX + 1;
	kernel[0x236] = 0x7F;
	e = (struct err){ 0 };
	assert_int_equal(parts_check(&in, FW_VARIANT_PLAIN, &plan, &e), -EX_MALFORMED);
	in.initrd.size = 0;
	assert_int_equal(parts_check(&in, FW_VARIANT_PLAIN, &plan, &e), -EX_MALFORMED);
}

static void sizes(void **state)
{
	(void)state;
	static const char *const bad[] = { "",
					   "M",
					   "-1",
					   "1MM",
					   "1T",
					   " 1",
					   "1 ",
					   "0x1",
					   "1.5G",
					   "18446744073709551616",
					   "17179869184G" };
	struct err e = { 0 };
	uint64_t v = 0;

	assert_int_equal(size_parse("m", "512M", &v, &e), 0);
	assert_int_equal(v, 512u << 20);
	assert_int_equal(size_parse("m", "3G", &v, &e), 0);
	assert_int_equal(v, 3ull << 30);
	assert_int_equal(size_parse("m", "4K", &v, &e), 0);
	assert_int_equal(v, 4096);
	assert_int_equal(size_parse("m", "7", &v, &e), 0);
	assert_int_equal(v, 7);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		e = (struct err){ 0 };
		if (size_parse("m", bad[i], &v, &e) != -EX_USAGE_ERROR)
			fail_msg("\"%s\" taken as a size", bad[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(agrees_with_firmware, set_up),
		cmocka_unit_test_setup(firmware_takes_pages, set_up),
		cmocka_unit_test_setup(image_rules, set_up),
		cmocka_unit_test_setup(plan_round_trip, set_up),
		cmocka_unit_test_setup(what_reaches_which, set_up),
		cmocka_unit_test_setup(boot_blocks, set_up),
		cmocka_unit_test_setup(initrd_below_the_kernels_limit, set_up),
		cmocka_unit_test_setup(sizes, set_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
