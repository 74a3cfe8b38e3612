/* The pages an SEV-SNP guest starts with or leaves behind: CPUID page, CC blob, table of sites. */
#include "firmware/bzimage.h"
#include "firmware/ccblob.h"
#include "firmware/cpuid_page.h"
#include "firmware/sites.h"
#include "firmware/zeropage.h"
#include "tests/unit/fw_fixtures.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct fw_cpuid_page sound_page(void)
{
	struct fw_cpuid_page page = { .count = 3 };

	page.entry[0] = (struct fw_cpuid_entry){ .eax_in = 0x80000000, .eax = 0x80000021 };
	page.entry[1] = (struct fw_cpuid_entry){ .eax_in = 0x80000008, .eax = 0x3034 };
	page.entry[2] = (struct fw_cpuid_entry){ .eax_in = 0x8000001F, .eax = 0x1A,
						 .ebx = 51 | 1u << 6 };
	return page;
}

static enum fw_stop check(const struct fw_cpuid_page *page, struct fw_cpuid_facts *facts)
{
	return fw_cpuid_check(page, SNP_C_BIT, facts);
}

static void a_sound_cpuid_page_is_read(void **state)
{
	struct fw_cpuid_page page = sound_page();
	struct fw_cpuid_facts facts;

	(void)state;
	assert_int_equal(check(&page, &facts), STOP_HANDED_OVER);
	assert_int_equal(facts.phys_bits, 0x34);
	assert_int_equal(facts.coherency_sfw_no, 0);
	page.entry[2].ebx |= 1u << 31;
	assert_int_equal(check(&page, &facts), STOP_HANDED_OVER);
	assert_int_equal(facts.coherency_sfw_no, 1);
	page.entry[1].eax_in = 0x80000009;
	assert_int_equal(check(&page, &facts), STOP_HANDED_OVER);
	assert_int_equal(facts.phys_bits, 36);
	/* A full page, and the last entry counts. */
	page = sound_page();
	page.entry[63] = page.entry[2];
	page.entry[2].eax_in = 0x1234;
	page.count = 64;
	assert_int_equal(check(&page, &facts), STOP_HANDED_OVER);
	page.count = 63;
	assert_int_equal(check(&page, &facts), STOP_SNP_CPUID);
}

static void lies_of_the_cpuid_page(void **state)
{
	struct fw_cpuid_page page;
	struct fw_cpuid_facts facts;

	(void)state;
#define REFUSED(code, field, value) \
	page = sound_page(); \
	page.field = (value); \
	assert_int_equal(check(&page, &facts), code)
	REFUSED(STOP_SNP_CPUID, count, 0);
	REFUSED(STOP_SNP_CPUID, count, 65);
	REFUSED(STOP_SNP_CPUID, count, UINT32_MAX);
	REFUSED(STOP_SNP_CPUID, reserved0, 1);
	REFUSED(STOP_SNP_CPUID, reserved1, 1);
	REFUSED(STOP_SNP_CPUID, entry[0].reserved, 1);
	REFUSED(STOP_SNP_CPUID, entry[2].eax_in, 0x80000020);
	REFUSED(STOP_SNP_CPUID, entry[0].eax_in, 0x8000001F);
	REFUSED(STOP_SNP_CPUID, entry[0].eax_in, 0x80000008);
	REFUSED(STOP_SNP_CPUID, entry[2].eax, 0x0A); /* no SEV-SNP */
	REFUSED(STOP_SNP_CPUID, entry[2].eax, 0x18); /* no SEV */
	REFUSED(STOP_SNP_C_BIT, entry[2].ebx, 47 | 1u << 6);
	REFUSED(STOP_SNP_C_BIT, entry[2].ebx, 0);
}

/* SHA instructions: leaf 7, subleaf 0, and no other word of the page. */
static void sha_instructions_by_the_page(void **state)
{
	struct fw_cpuid_page page = sound_page();
	struct fw_cpuid_facts facts;

	(void)state;
	assert_int_equal(check(&page, &facts), STOP_HANDED_OVER);
	assert_int_equal(facts.sha, 0);
	page.count = 5;
	page.entry[3] = (struct fw_cpuid_entry){ .eax_in = 7, .ebx = ~(1u << 29) };
	page.entry[4] = (struct fw_cpuid_entry){ .eax_in = 7, .ecx_in = 1, .ebx = UINT32_MAX };
	assert_int_equal(check(&page, &facts), STOP_HANDED_OVER);
	assert_int_equal(facts.sha, 0);
	page.entry[3].ebx = 1u << 29;
	assert_int_equal(check(&page, &facts), STOP_HANDED_OVER);
	assert_int_equal(facts.sha, 1);
	page.entry[4].ecx_in = 0;
	assert_int_equal(check(&page, &facts), STOP_SNP_CPUID);
}

static uint64_t load(const uint8_t *p, unsigned bytes)
{
	uint64_t v = 0;

	for (unsigned i = bytes; i-- > 0;)
		v = v << 8 | p[i];
	return v;
}

/* As Linux reads it: boot_params.hdr.setup_data, setup_data, cc_blob_sev_info. */
static void linux_finds_the_blob(void **state)
{
	static uint8_t page[FW_PAGE], zero_page[FW_PAGE], file[FIXTURE_KERNEL_SIZE];
	struct fw_initrd_place none = { 0, 0 };
	const uint8_t *blob;
	struct fw_boot_block b;
	struct fw_kernel k;
	uint64_t at;

	(void)state;
	fixture_kernel(file);
	fixture_boot_block(&b);
	assert_int_equal(fw_kernel_parse(file, sizeof(file), FW_VARIANT_SNP, &k), STOP_HANDED_OVER);
	fw_zero_page_build(zero_page, file, &k, &b, &none);
	memset(page, 0xEE, sizeof(page));
	fw_cc_blob_build(page, zero_page);

	assert_int_equal(load(zero_page + 0x250, 8), FW_CC_BLOB);
	assert_int_equal(load(zero_page + 0x13C, 4), 0); /* cc_blob_address: set by Linux itself */
	assert_int_equal(load(page, 8), 0);
	assert_int_equal(load(page + 8, 4), 7);
	assert_int_equal(load(page + 12, 4), 4);
	at = load(page + 16, 4);
	assert_in_range(at, FW_CC_BLOB + 20, FW_CC_BLOB + FW_PAGE - 40);
	blob = page + (at - FW_CC_BLOB);
	assert_int_equal(load(blob, 4), 0x45444D41);
	assert_int_equal(load(blob + 8, 8), FW_SECRETS_PAGE);
	assert_int_equal(load(blob + 16, 4), FW_PAGE);
	assert_int_equal(load(blob + 24, 8), FW_CPUID_PAGE);
	assert_int_equal(load(blob + 32, 4), FW_PAGE);
	for (size_t i = (size_t)(at - FW_CC_BLOB) + 40; i < FW_PAGE; i++)
		assert_int_equal(page[i], 0);
}

static uint32_t e820_type(const uint8_t *zero_page, uint64_t gpa)
{
	for (unsigned i = 0; i < zero_page[0x1E8]; i++) {
		const uint8_t *e = zero_page + 0x2D0 + (size_t)20 * i;
		uint64_t base = load(e, 8);

		if (gpa >= base && gpa - base < load(e + 8, 8))
			return (uint32_t)load(e + 16, 4);
	}
	return 0;
}

static void linux_keeps_off_our_pages(void **state)
{
	static uint8_t zero_page[FW_PAGE], file[FIXTURE_KERNEL_SIZE];
	struct fw_initrd_place none = { 0, 0 };
	struct fw_boot_block b;
	struct fw_kernel k;

	(void)state;
	fixture_kernel(file);
	fixture_boot_block(&b);
	assert_int_equal(fw_kernel_parse(file, sizeof(file), FW_VARIANT_SNP, &k), STOP_HANDED_OVER);
	fw_zero_page_build(zero_page, file, &k, &b, &none);
	assert_int_equal(e820_type(zero_page, FW_CPUID_PAGE), 2);
	assert_int_equal(e820_type(zero_page, FW_SECRETS_PAGE), 2);
	assert_int_equal(e820_type(zero_page, FW_GHCB), 2);
	assert_int_equal(e820_type(zero_page, FW_CC_BLOB), 2);
	/* never validated */
	for (uint64_t at = FW_LOW_RAM_END; at < FW_HIGH_RAM_BASE; at += FW_PAGE)
		assert_int_equal(e820_type(zero_page, at), 0);
}

static uint8_t *load_image(size_t *size)
{
	const char *build = getenv("PAVISE_BUILD");
	uint8_t *data = malloc(FW_IMAGE_MAX);
	char path[512];
	FILE *f;

	assert_non_null(data);
	snprintf(path, sizeof(path), "%s/firmware/pavise-fw-snp.bin", build ? build : "build");
	f = fopen(path, "re");
	assert_non_null(f);
	*size = fread(data, 1, FW_IMAGE_MAX, f);
	fclose(f);
	return data;
}

/* What the platform model does to the image is undone, byte for byte. */
static void replaced_sites_are_restored(void **state)
{
	size_t size;
	uint8_t *image = load_image(&size), *copy = malloc(FW_IMAGE_MAX);
	const struct fw_image_header *header = (const void *)image;
	const struct fw_site *sites = (const void *)(image + header->sites_offset);

	(void)state;
	assert_non_null(copy);
	memcpy(copy, image, size);
	assert_int_equal(fw_sites_restore(copy, size), 0);
	assert_memory_equal(copy, image, size);
	assert_true(header->sites_count >= 5);
	for (uint32_t i = 0; i < header->sites_count; i++) {
		const uint8_t out[4] = { 0xE7, (uint8_t)(0xE0 + sites[i].kind), 0x90, 0x90 };

		memcpy(copy + sites[i].offset, out, sizeof(out));
	}
	assert_memory_not_equal(copy, image, size);
	assert_int_equal(fw_sites_restore(copy, size), 0);
	assert_memory_equal(copy, image, size);
	free(copy);
	free(image);
}

static void a_damaged_table_of_sites_is_refused(void **state)
{
	static uint8_t image[FW_PAGE];
	struct fw_image_header *header = (void *)image;
	struct fw_site *site = (void *)(image + 64);

	(void)state;
	memset(image, 0, sizeof(image));
	header->sites_offset = 64;
	header->sites_count = 1;
	*site = (struct fw_site){ FW_PAGE - 4, FW_SITE_VMGEXIT };
	assert_int_equal(fw_sites_restore(image, sizeof(image)), 0);
	site->offset = FW_PAGE - 3;
	assert_int_equal(fw_sites_restore(image, sizeof(image)), -1);
	site->offset = UINT32_MAX;
	assert_int_equal(fw_sites_restore(image, sizeof(image)), -1);
	*site = (struct fw_site){ 128, FW_SITE_TDX_FOLD + 1 };
	assert_int_equal(fw_sites_restore(image, sizeof(image)), -1);
	*site = (struct fw_site){ 128, 0 };
	assert_int_equal(fw_sites_restore(image, sizeof(image)), -1);
	site->kind = FW_SITE_VMGEXIT;
	header->sites_count = UINT32_MAX;
	assert_int_equal(fw_sites_restore(image, sizeof(image)), -1);
	header->sites_count = 1;
	header->sites_offset = FW_PAGE - 4;
	assert_int_equal(fw_sites_restore(image, sizeof(image)), -1);
	header->sites_offset = FW_PAGE + 1;
	assert_int_equal(fw_sites_restore(image, sizeof(image)), -1);
	assert_int_equal(fw_sites_restore(image, 63), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sound_cpuid_page_is_read),
		cmocka_unit_test(lies_of_the_cpuid_page),
		cmocka_unit_test(sha_instructions_by_the_page),
		cmocka_unit_test(linux_finds_the_blob),
		cmocka_unit_test(linux_keeps_off_our_pages),
		cmocka_unit_test(replaced_sites_are_restored),
		cmocka_unit_test(a_damaged_table_of_sites_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
