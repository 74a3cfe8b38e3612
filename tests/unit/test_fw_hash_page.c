/* The hash page: each byte that must have a value is changed, and refused. */
#include "firmware/hashpage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct fw_hash_record sound_record(void)
{
	struct fw_hash_record r = { .size = sizeof(r), .variant = FW_VARIANT_PLAIN,
				    .kernel_size = 5000, .initrd_size = 0, .cmdline_size = 1,
				    .min_ram = 1, .max_cpus = 1 };

	memcpy(r.magic, FW_HASH_MAGIC, sizeof(r.magic));
	memset(r.kernel_sha384, 0x33, sizeof(r.kernel_sha384));
	return r;
}

static void sound_page(struct fw_hash_page *page)
{
	uint8_t sha[32] = { 1 };
	struct fw_hash_record r = sound_record();

	fw_hash_page_build(page, &r, sha, sha, sha);
}

static enum fw_stop check(const struct fw_hash_page *page)
{
	return fw_hash_page_check(page, FW_VARIANT_PLAIN);
}

/* Which bytes may hold anything: hashes, sizes and limits, by offset. */
static int is_free(size_t at)
{
	static const struct { size_t from, to; } spans[] = {
		/* SHA-256 fields of the three entries, behind 16 + 2 bytes each */
		{ 18 + 18, 18 + 50 },
		{ 68 + 18, 68 + 50 },
		{ 118 + 18, 118 + 50 },
		{ 256 + 16, 256 + 56 },   /* sizes, min_ram, max_cpus, require_tpm */
		{ 256 + 56, 256 + 200 },  /* SHA-384 values */
	};

	for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++)
		if (at >= spans[i].from && at < spans[i].to)
			return 1;
	return 0;
}

static void each_fixed_byte_counts(void **state)
{
	struct fw_hash_page page;

	(void)state;
	for (size_t at = 0; at < sizeof(page); at++) {
		enum fw_stop want = at < 256 ? STOP_HASH_TABLE : STOP_HASH_RECORD;

		sound_page(&page);
		assert_int_equal(check(&page), STOP_HANDED_OVER);
		((uint8_t *)&page)[at] ^= 0x40;
		if (at >= 256 + 12 && at < 256 + 16)
			want = STOP_VARIANT;
		if (is_free(at))
			continue;
		if (check(&page) != want)
			fail_msg("byte %zu: not stopped with 0x%02x", at, (unsigned)want);
	}
}

static enum fw_stop check_record(const struct fw_hash_record *r)
{
	struct fw_hash_page page;
	uint8_t sha[32] = { 0 };

	fw_hash_page_build(&page, r, sha, sha, sha);
	return check(&page);
}

static void limits_of_the_record(void **state)
{
	struct fw_hash_record r = sound_record();

	(void)state;
#define REFUSED(field, value) \
	r = sound_record(); \
	r.field = (value); \
	assert_int_equal(check_record(&r), STOP_HASH_RECORD)
	REFUSED(kernel_size, 0);
	REFUSED(kernel_size, MMIO_HOLE_BASE + 1ull);
	REFUSED(kernel_size, UINT64_MAX);
	REFUSED(initrd_size, MMIO_HOLE_BASE + 1ull);
	REFUSED(cmdline_size, 0);
	REFUSED(cmdline_size, FW_CMDLINE_MAX + 1);
	REFUSED(max_cpus, 0);
	REFUSED(max_cpus, FW_BOOT_CPU_MAX + 1);
	REFUSED(require_tpm, 2);
	r = sound_record();
	r.initrd_size = MMIO_HOLE_BASE;
	r.cmdline_size = FW_CMDLINE_MAX;
	r.max_cpus = FW_BOOT_CPU_MAX;
	r.require_tpm = 1;
	assert_int_equal(check_record(&r), STOP_HANDED_OVER);
}

static void another_variant_is_refused(void **state)
{
	struct fw_hash_page page;

	(void)state;
	sound_page(&page);
	assert_int_equal(fw_hash_page_check(&page, FW_VARIANT_SNP), STOP_VARIANT);
}

static void both_hashes_must_match(void **state)
{
	struct fw_digests d;
	struct fw_hash_entry entry = { .size = 50 };
	uint8_t sha384[48];

	(void)state;
	memset(&d, 0xA5, sizeof(d));
	memcpy(entry.sha256, d.sha256, sizeof(entry.sha256));
	memcpy(sha384, d.sha384, sizeof(sha384));
	assert_true(fw_hash_matches(&d, &entry, sha384));
	for (size_t i = 0; i < sizeof(d) * 8; i++) {
		struct fw_digests changed = d;

		((uint8_t *)&changed)[i / 8] ^= (uint8_t)(1u << (i % 8));
		assert_false(fw_hash_matches(&changed, &entry, sha384));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_fixed_byte_counts),
		cmocka_unit_test(limits_of_the_record),
		cmocka_unit_test(another_variant_is_refused),
		cmocka_unit_test(both_hashes_must_match),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
