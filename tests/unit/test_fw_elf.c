/* ELF kernels: each rule has a row that breaks it. And what a PVH kernel is told. */
#include "firmware/elfkernel.h"
#include "firmware/startinfo.h"
#include "tests/unit/fw_fixtures.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define PH(n, field) (FIXTURE_ELF_PHEADER(n) + (field))
#define NOTE(field)  (FIXTURE_ELF_NOTES + (field))
/* Fields of a program header. */
#define TYPE   0u
#define OFFSET 8u
#define PADDR  24u
#define FILESZ 32u
#define MEMSZ  40u
#define ALIGN  48u

static const struct {
	const char *name;
	unsigned offset, bytes;
	uint64_t value;
	enum fw_stop want;
} rows[] = {
	{ "32 bits", 4, 1, 1, STOP_KERNEL_ELF },
	{ "big endian", 5, 1, 2, STOP_KERNEL_ELF },
	{ "identification version", 6, 1, 0, STOP_KERNEL_ELF },
	{ "shared object", 16, 2, 3, STOP_KERNEL_ELF },
	{ "other processor", 18, 2, 183, STOP_KERNEL_ELF },
	{ "file version", 20, 4, 2, STOP_KERNEL_ELF },
	{ "header size", 52, 2, 63, STOP_KERNEL_ELF },
	{ "program header size", 54, 2, 32, STOP_KERNEL_ELF },
	{ "no program header", 56, 2, 0, STOP_KERNEL_ELF },
	{ "too many program headers", 56, 2, 65, STOP_KERNEL_ELF },
	{ "program headers outside", 32, 8, FIXTURE_ELF_SIZE - 223, STOP_KERNEL_ELF },
	{ "program headers wrap", 32, 8, UINT64_MAX - 8, STOP_KERNEL_ELF },
	{ "dynamic section", PH(3, TYPE), 4, 2, STOP_KERNEL_ELF },
	{ "interpreter", PH(3, TYPE), 4, 3, STOP_KERNEL_ELF },
	{ "segment begins outside the file", PH(0, OFFSET), 8, FIXTURE_ELF_SIZE + 1,
	  STOP_KERNEL_SEGMENT },
	{ "segment ends outside the file", PH(1, FILESZ), 8, 0x301, STOP_KERNEL_SEGMENT },
	{ "segment wraps in the file", PH(0, OFFSET), 8, UINT64_MAX, STOP_KERNEL_SEGMENT },
	{ "more bytes than room", PH(0, MEMSZ), 8, 0x3FF, STOP_KERNEL_SEGMENT },
	{ "bytes without room", PH(0, MEMSZ), 8, 0, STOP_KERNEL_SEGMENT },
	{ "over the firmware", PH(0, PADDR), 8, FW_RESERVED_END - 1, STOP_KERNEL_SEGMENT },
	{ "at zero", PH(0, PADDR), 8, 0, STOP_KERNEL_SEGMENT },
	{ "into the staging area", PH(1, PADDR), 8, FW_STAGING - 0x1FFFFF, STOP_KERNEL_SEGMENT },
	{ "behind the staging area's base", PH(1, PADDR), 8, FW_STAGING + 1, STOP_KERNEL_SEGMENT },
	{ "room without end", PH(1, MEMSZ), 8, UINT64_MAX, STOP_KERNEL_SEGMENT },
	{ "address wraps", PH(1, PADDR), 8, UINT64_MAX - 0xFFF, STOP_KERNEL_SEGMENT },
	{ "segments overlap at their ends", PH(0, MEMSZ), 8, 0x200001, STOP_KERNEL_SEGMENT },
	{ "one segment inside the other", PH(1, PADDR), 8, 0x0F00000, STOP_KERNEL_SEGMENT },
	{ "notes outside the file", PH(2, FILESZ), 8, FIXTURE_ELF_SIZE - FIXTURE_ELF_NOTES + 1,
	  STOP_KERNEL_SEGMENT },
	{ "half a note header", PH(2, FILESZ), 8, 48 + 11, STOP_KERNEL_ENTRY },
	{ "note name too long", NOTE(0), 4, UINT32_MAX, STOP_KERNEL_ENTRY },
	{ "note content too long", NOTE(24 + 4), 4, 9, STOP_KERNEL_ENTRY },
	{ "PVH entry of odd size", NOTE(24 + 4), 4, 7, STOP_KERNEL_ENTRY },
	{ "entry before the segments", 24, 8, 0xFFFFFF, STOP_KERNEL_ENTRY },
	{ "entry behind the file's bytes", 24, 8, 0x1000400, STOP_KERNEL_ENTRY },
	{ "virtual entry", 24, 8, 0xFFFFFFFF81000100, STOP_KERNEL_ENTRY },
};

static enum fw_stop parse(const uint8_t *file, struct fw_kernel *k)
{
	return fw_kernel_parse(file, FIXTURE_ELF_SIZE, FW_VARIANT_PLAIN, k);
}

static void every_rule_refuses(void **state)
{
	uint8_t file[FIXTURE_ELF_SIZE];
	struct fw_kernel k;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fixture_elf(file);
		assert_int_equal(parse(file, &k), STOP_HANDED_OVER);
		fixture_store(file + rows[i].offset, rows[i].value, rows[i].bytes);
		if (parse(file, &k) != rows[i].want)
			fail_msg("%s: not stopped with 0x%02x", rows[i].name,
				 (unsigned)rows[i].want);
	}
}

static void two_pvh_entries_are_none(void **state)
{
	uint8_t file[FIXTURE_ELF_SIZE];
	struct fw_kernel k;

	(void)state;
	fixture_elf(file);
	fixture_note(file + FIXTURE_ELF_NOTES, "Xen", 18, 0x1200010);
	assert_int_equal(parse(file, &k), STOP_KERNEL_ENTRY);
}

static void too_many_segments(void **state)
{
	uint8_t file[64 + 56 * 17];
	struct fw_kernel k;

	(void)state;
	for (unsigned count = 16; count <= 17; count++) {
		uint8_t head[FIXTURE_ELF_SIZE];

		fixture_elf(head);
		memset(file, 0, sizeof(file));
		memcpy(file, head, 64);
		fixture_store(file + 56, count, 2);
		fixture_store(file + 24, 0x1000000, 8);
		for (unsigned i = 0; i < count; i++) {
			fixture_store(file + PH(i, TYPE), 1, 4);
			fixture_store(file + PH(i, PADDR), 0x1000000 + 0x1000ull * i, 8);
			fixture_store(file + PH(i, FILESZ), 1, 8);
			fixture_store(file + PH(i, MEMSZ), 0x1000, 8);
		}
		assert_int_equal(fw_kernel_parse(file, sizeof(file), FW_VARIANT_PLAIN, &k),
				 count == 16 ? STOP_HANDED_OVER : STOP_KERNEL_SEGMENT);
	}
}

static void values_of_a_vmlinux(void **state)
{
	uint8_t file[FIXTURE_ELF_SIZE];
	struct fw_kernel k;

	(void)state;
	fixture_elf(file);
	assert_int_equal(parse(file, &k), STOP_HANDED_OVER);
	/* Linux is entered in 64-bit mode, whatever else it offers. */
	assert_int_equal(k.kind, FW_ENTRY_LINUX);
	assert_true(k.entry == 0x1000100 && k.part_count == 2 && k.header_end == 0);
	assert_true(k.part[0].offset == 0x200 && k.part[0].size == 0x400 &&
		    k.part[0].address == 0x1000000 && k.part[0].room == 0x1000);
	assert_true(k.part[1].address == 0x1200000 && k.part[1].room == 0x200000);
	assert_true(k.cmdline_size == 2047 && k.initrd_addr_max == UINT32_MAX);
	assert_int_equal(fw_kernel_parse(file, sizeof(file), FW_VARIANT_SNP, &k), STOP_HANDED_OVER);
	/* An empty segment is none; one without notes is entered the same way. */
	fixture_store(file + PH(1, FILESZ), 0, 8);
	fixture_store(file + PH(1, MEMSZ), 0, 8);
	fixture_store(file + PH(1, PADDR), 0, 8);
	fixture_store(file + PH(2, TYPE), 0, 4);
	assert_int_equal(parse(file, &k), STOP_HANDED_OVER);
	assert_true(k.kind == FW_ENTRY_LINUX && k.part_count == 1);
}

static void values_of_a_pvh_kernel(void **state)
{
	uint8_t file[FIXTURE_ELF_SIZE];
	struct fw_kernel k;

	(void)state;
	fixture_elf(file);
	fixture_note(file + FIXTURE_ELF_NOTES, "Other", 0x101, 1);
	assert_int_equal(parse(file, &k), STOP_HANDED_OVER);
	assert_true(k.kind == FW_ENTRY_PVH && k.entry == 0x1200010 && k.cmdline_size == 4095);
	assert_int_equal(fw_kernel_parse(file, sizeof(file), FW_VARIANT_TDX, &k), STOP_HANDED_OVER);
	assert_int_equal(fw_kernel_parse(file, sizeof(file), FW_VARIANT_SNP, &k), STOP_KERNEL_PVH);
	/* Four bytes are as good as eight, and padding may follow. */
	fixture_store(file + FIXTURE_ELF_NOTES + 24 + 4, 4, 4);
	fixture_store(file + PH(2, FILESZ), 44, 8);
	assert_int_equal(parse(file, &k), STOP_HANDED_OVER);
	assert_true(k.entry == 0x1200010);
	/* Another type of Xen's notes is no entry. */
	fixture_store(file + FIXTURE_ELF_NOTES + 24 + 8, 17, 4);
	assert_int_equal(parse(file, &k), STOP_HANDED_OVER);
	assert_int_equal(k.kind, FW_ENTRY_LINUX);
	fixture_elf(file);
	fixture_note(file + FIXTURE_ELF_NOTES, "Other", 0x101, 1);
	fixture_note(file + FIXTURE_ELF_NOTES + 24, "Xen", 18, 0x1200300);
	assert_int_equal(parse(file, &k), STOP_KERNEL_ENTRY);
}

/* Notes aligned to eight bytes, as a segment of their own may say. */
static void notes_of_eight_bytes(void **state)
{
	uint8_t file[FIXTURE_ELF_SIZE], *note = file + FIXTURE_ELF_NOTES;
	struct fw_kernel k;

	(void)state;
	fixture_elf(file);
	memset(note, 0, 64);
	fixture_store(note, 6, 4);
	fixture_store(note + 4, 4, 4);
	memcpy(note + 12, "Other", 6);
	fixture_store(note + 32, 4, 4); /* 12 + 6, padded: 24, and 4 padded: 32 */
	fixture_store(note + 32 + 4, 8, 4);
	fixture_store(note + 32 + 8, 18, 4);
	memcpy(note + 32 + 12, "Xen", 4);
	fixture_store(note + 32 + 16, 0x1000004, 8);
	fixture_store(file + PH(2, FILESZ), 56, 8);
	fixture_store(file + PH(2, ALIGN), 8, 8);
	assert_int_equal(parse(file, &k), STOP_HANDED_OVER);
	assert_true(k.kind == FW_ENTRY_PVH && k.entry == 0x1000004);
}

/* Files cut anywhere, in exact allocations so that a sanitizer sees an overread. */
static void cut_files(void **state)
{
	uint8_t file[FIXTURE_ELF_SIZE];
	struct fw_kernel k;

	(void)state;
	fixture_elf(file);
	for (size_t n = 0; n < sizeof(file); n++) {
		uint8_t *cut = malloc(n + (n == 0));

		assert_non_null(cut);
		memcpy(cut, file, n);
		assert_int_not_equal(fw_kernel_parse(cut, n, FW_VARIANT_PLAIN, &k),
				     STOP_HANDED_OVER);
		free(cut);
	}
}

static uint64_t load(const uint8_t *p, unsigned bytes)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < bytes; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

static void linux_gets_a_header(void **state)
{
	struct fw_initrd_place initrd = { 0x1FFFE000, 5000 };
	uint8_t file[FIXTURE_ELF_SIZE], page[FW_PAGE];
	struct fw_boot_block b;
	struct fw_kernel k;

	(void)state;
	fixture_boot_block(&b);
	fixture_elf(file);
	assert_int_equal(parse(file, &k), STOP_HANDED_OVER);
	memset(page, 0xEE, sizeof(page));
	fw_zero_page_build(page, file, &k, &b, &initrd);
	assert_true(load(page + 0x1FE, 2) == 0xAA55 && memcmp(page + 0x202, "HdrS", 4) == 0);
	assert_true(load(page + 0x206, 2) == 0x20F && page[0x210] == 0xFF && page[0x211] == 1);
	assert_true(load(page + 0x228, 4) == FW_CMDLINE && load(page + 0x238, 4) == 2047);
	assert_true(load(page + 0x218, 4) == initrd.base && load(page + 0x21C, 4) == initrd.size);
	assert_true(load(page + 0x250, 8) == 0 && page[0x1E8] == 9 && page[0x1EF] == 0);
}

static void pvh_gets_start_info(void **state)
{
	struct fw_initrd_place initrd = { 0x1FFFE000, 5000 }, none = { 0, 0 };
	uint8_t page[FW_PAGE];
	struct fw_kernel k = { .entry = 0x1200010 };
	struct fw_memory_area area;
	struct fw_boot_block b;

	(void)state;
	fixture_boot_block(&b);
	memset(page, 0xEE, sizeof(page));
	fw_start_info_build(page, &k, &b, &initrd);
	assert_true(load(page, 4) == 0x336EC578 && load(page + 4, 4) == 1 && load(page + 8, 4) == 0);
	assert_true(load(page + 12, 4) == 1 && load(page + 16, 8) == FW_ZERO_PAGE + 0x40);
	assert_true(load(page + 24, 8) == FW_CMDLINE && load(page + 32, 8) == FW_ACPI);
	assert_true(load(page + 40, 8) == FW_ZERO_PAGE + 0x80 && load(page + 48, 4) == 9);
	assert_true(load(page + 0x40, 8) == initrd.base && load(page + 0x48, 8) == 5000 &&
		    load(page + 0x50, 8) == 0 && load(page + 0x58, 8) == 0);
	for (unsigned i = 0; i < 9; i++) {
		const uint8_t *p = page + 0x80 + (size_t)24 * i;

		assert_true(fw_memory_area(&b, i, &area));
		assert_true(load(p, 8) == area.base && load(p + 8, 8) == area.size &&
			    load(p + 16, 4) == area.type);
	}
	assert_int_equal(load(page + PVH_ENTRY, 4), 0x1200010);
	/* All sixteen ranges end before what pvh.S needs. */
	b.ram_count = FW_BOOT_RAM_MAX;
	fw_start_info_build(page, &k, &b, &none);
	assert_true(load(page + 48, 4) == 22 && 0x80 + 24 * 22 < PVH_ENTRY);
	assert_true(load(page + 12, 4) == 0 && load(page + 16, 8) == 0);
	b.ram_count = UINT32_MAX;
	assert_false(fw_memory_area(&b, 22, &area));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_rule_refuses),
		cmocka_unit_test(two_pvh_entries_are_none),
		cmocka_unit_test(too_many_segments),
		cmocka_unit_test(values_of_a_vmlinux),
		cmocka_unit_test(values_of_a_pvh_kernel),
		cmocka_unit_test(notes_of_eight_bytes),
		cmocka_unit_test(cut_files),
		cmocka_unit_test(linux_gets_a_header),
		cmocka_unit_test(pvh_gets_start_info),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
