/* The built TDX image as a foreign tool reads it: by the footer table and the TDVF descriptor. What
 * they say must be what our own plan loads (docs/PROTOCOL.plan "TDX"), in its order. */
#include "attest/measure/tdx/tdvf.h"
#include "common/file.h"
#include "firmware/layout.h"
#include "firmware/sites.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint8_t *image;
static size_t size;

static int load(void **state)
{
	const char *build = getenv("PAVISE_BUILD");
	struct err e = { 0 };
	char path[512];
	void *data;

	(void)state;
	snprintf(path, sizeof(path), "%s/firmware/pavise-fw-tdx.bin", build ? build : "build");
	if (file_read("image", path, FW_IMAGE_MAX, 0, &data, &size, &e) < 0) {
		print_error("%s\n", e.text);
		return -1;
	}
	image = data;
	return 0;
}

static int unload(void **state)
{
	(void)state;
	free(image);
	return 0;
}

static void sections_are_the_plans(void **state)
{
	const struct {
		uint64_t address, bytes;
		uint32_t type, raw, attributes;
	} want[] = {
		{ FW_IMAGE, size, TDVF_CFV, (uint32_t)size, TDVF_MR_EXTEND },
		{ FW_SCRATCH, FW_SCRATCH_SIZE, TDVF_TEMP_MEM, 0, 0 },
		{ FW_HASH_PAGE, FW_PAGE, TDVF_PAYLOAD_PARAM, 0, TDVF_MR_EXTEND },
		{ FW_MAILBOX, FW_PAGE, TDVF_TEMP_MEM, 0, TDVF_MR_EXTEND },
		{ FW_RESET_PAGE, FW_PAGE, TDVF_BFV, FW_PAGE, TDVF_MR_EXTEND },
	};
	struct err e = { 0 };
	struct tdvf t;

	(void)state;
	assert_int_equal(tdvf_open("image", image, size, &t, &e), 0);
	assert_false(t.legacy);
	assert_int_equal(t.count, sizeof(want) / sizeof(want[0]));
	for (size_t i = 0; i < t.count; i++) {
		assert_int_equal(t.section[i].address, want[i].address);
		assert_int_equal(t.section[i].size, want[i].bytes);
		assert_int_equal(t.section[i].type, want[i].type);
		assert_int_equal(t.section[i].raw_size, want[i].raw);
		assert_int_equal(t.section[i].attributes, want[i].attributes);
		assert_true(tdvf_is_added(&t.section[i]));
	}
	assert_int_equal(t.section[0].offset, 0);
	assert_int_equal(t.section[4].offset, size - FW_PAGE);
}

/* Older tools: an offset 32 bytes before the end. */
static void the_old_offset_finds_the_same(void **state)
{
	uint8_t *copy = malloc(size);
	struct err e = { 0 };
	struct tdvf t;

	(void)state;
	assert_non_null(copy);
	memcpy(copy, image, size);
	memset(copy + size - 48, 0, 16);
	assert_int_equal(tdvf_open("image", copy, size, &t, &e), 0);
	assert_true(t.legacy);
	assert_int_equal(t.count, 5);
	free(copy);
}

/* What the platform model patches, sites.c puts back. */
static void sites_are_restored(void **state)
{
	const struct fw_image_header *h = (const void *)image;
	const struct fw_site *site = (const void *)(image + h->sites_offset);
	uint8_t *copy = malloc(size);

	(void)state;
	assert_non_null(copy);
	assert_true(h->variant == FW_VARIANT_TDX && h->sites_count >= 3);
	memcpy(copy, image, size);
	for (uint32_t i = 0; i < h->sites_count; i++) {
		const uint8_t out[FW_SITE_SIZE] = { 0xE7, (uint8_t)(0xE0 + site[i].kind), 0x90,
						    0x90 };

		memcpy(copy + site[i].offset, out, sizeof(out));
	}
	assert_memory_not_equal(copy, image, size);
	assert_int_equal(fw_sites_restore(copy, size), 0);
	assert_memory_equal(copy, image, size);
	free(copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sections_are_the_plans),
		cmocka_unit_test(the_old_offset_finds_the_same),
		cmocka_unit_test(sites_are_restored),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
