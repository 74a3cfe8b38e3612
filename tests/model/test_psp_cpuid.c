/* The firmware's rules for CPUID pages (tee-abi §2.8; SEV-SNP firmware ABI 56860 §7.1), Genoa's, a
 * row or more for each: what is given, and what the firmware makes of it. */
#include "model/psp/cpuid_rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define GENOA 0xa10f11u
#define ALL 0xffffffffu

struct entry {
	uint32_t leaf, subleaf;
	uint64_t xcr0, xss;
	uint32_t reg[4];
	uint64_t reserved;
};

static uint8_t page[4096];

static enum cpuid_verdict check(struct entry *e)
{
	const uint32_t one = 1;
	enum cpuid_verdict v;

	memset(page, 0, sizeof(page));
	memcpy(page, &one, sizeof(one));
	memcpy(page + 16, e, sizeof(*e));
	v = cpuid_check(page, GENOA);
	memcpy(e, page + 16, sizeof(*e));
	return v;
}

static const struct row {
	uint32_t leaf, subleaf;
	uint64_t xcr0, xss;
	uint32_t given[4], want[4];
} rows[] = {
	/* Vendor and name are the host's to tell. */
	{ 0, 0, 0, 0, { 0x10, 1, 2, 3 }, { 0x10, 1, 2, 3 } },
	{ 0, 0, 0, 0, { 0x11, 1, 2, 3 }, { 0x10, 1, 2, 3 } },
	/* Family, model and stepping at most the processor's, in this order. */
	{ 1, 0, 0, 0, { GENOA, 0x800, 0, 0 }, { GENOA, 0x800, 0, 0 } },
	{ 1, 0, 0, 0, { GENOA + 1, 0x800, 0, 0 }, { GENOA, 0x800, 0, 0 } },
	{ 1, 0, 0, 0, { 0xa00f1f, 0x800, 0, 0 }, { 0xa00f1f, 0x800, 0, 0 } },
	{ 1, 0, 0, 0, { 0xb00f00, 0x800, 0, 0 }, { GENOA, 0x800, 0, 0 } },
	{ 1, 0, 0, 0, { 0xfa10f11, 0x800, 0, 0 }, { GENOA, 0x800, 0, 0 } },
	{ 1, 0, 0, 0, { 0x1000f00, 0x800, 0, 0 }, { GENOA, 0x800, 0, 0 } },
	{ 1, 0, 0, 0, { 0x800f12, 0x800, 0, 0 }, { 0x800f12, 0x800, 0, 0 } },
	{ 1, 0, 0, 0, { 0x1000, 0x800, 0, 0 }, { 0, 0x800, 0, 0 } }, /* reserved */
	{ 1, 0, 0, 0, { 0, 0xfefe10ff, 0, 0 }, { 0, 0xfefe0800, 0, 0 } }, /* CLFLUSH, brand */
	{ 1, 0, 0, 0, { 0, 0x800, ALL, ALL }, { 0, 0x800, 0xfefa320b, 0x178bfbff } },
	{ 1, 0, 0, 0, { 0, 0x800, 1u << 27 | 1u << 31, 0 }, { 0, 0x800, 1u << 27 | 1u << 31, 0 } },
	{ 2, 0, 0, 0, { ALL, ALL, ALL, ALL }, { ALL, ALL, ALL, ALL } },
	{ 4, 0, 0, 0, { ALL, ALL, ALL, ALL }, { ALL, ALL, ALL, ALL } },
	{ 5, 0, 0, 0, { ALL, ALL, ALL, ALL }, { 0xffff, 0xffff, 3, 0xff } },
	{ 6, 0, 0, 0, { ALL, ALL, ALL, ALL }, { 4, 0, 1, 0 } },
	{ 7, 0, 0, 0, { 2, ALL, ALL, 0x10000010 }, { 1, 0xf1bf97a9, 0x415fde, 0x10000010 } },
	{ 7, 0, 0, 0, { 0, 0, 1u << 4, 0 }, { 0, 0, 1u << 4, 0 } }, /* OSPKE */
	/* One speculation control too many, and the allowed bits go as well. */
	{ 7, 0, 0, 0, { 0, 0, 0, 0x10000010 | 1u << 26 }, { 0, 0, 0, 0 } },
	{ 7, 1, 0, 0, { ALL, ALL, ALL, ALL }, { 0x20, 0, 0, 0 } },
	{ 0xb, 0, 0, 0, { ALL, ALL, ALL, ALL }, { 0x1f, 0xffff, 0xffff, ALL } },
	{ 0xb, 1, 0, 0, { ALL, ALL, ALL, ALL }, { 0x1f, 0xffff, 0xffff, ALL } },
	{ 0xb, 2, 0, 0, { ALL, ALL, ALL, ALL }, { 0x1f, 0xffff, 0xffff, ALL } },
	/* The size follows XCR0 (and XSS) as the entry says it. */
	{ 0xd, 0, 0, 0, { 0, 0, 7, 0 }, { 3, 0x240, 7, 0 } },
	{ 0xd, 0, 3, 0, { ALL, 0x240, 7, 1 }, { 0x2e7, 0x240, 7, 0 } },
	{ 0xd, 0, 7, 0, { 7, 0x340, 7, 0 }, { 7, 0x340, 7, 0 } },
	{ 0xd, 0, 0x27, 0, { 7, 0, 7, 0 }, { 7, 0x380, 7, 0 } },
	{ 0xd, 0, 0x67, 0, { 7, 0, 7, 0 }, { 7, 0x580, 7, 0 } },
	{ 0xd, 0, 0xe7, 0, { 7, 0, 7, 0 }, { 7, 0x980, 7, 0 } },
	{ 0xd, 0, 0x2e7, 0, { 7, 0, 7, 0 }, { 7, 0x988, 7, 0 } },
	{ 0xd, 1, 1, 0, { ALL, 0x240, ALL, ALL }, { 0xf, 0x240, 0x1800, 0 } },
	{ 0xd, 1, 0x2e7, 0x1800, { 0xf, 0, 0, 0 }, { 0xf, 0x9b0, 0, 0 } },
	{ 0xd, 1, 7, 0x800, { 0xf, 0, 0, 0 }, { 0xf, 0x350, 0, 0 } },
	{ 0xd, 1, 0x1807, 0x2e0, { 0xf, 0, 0, 0 }, { 0xf, 0x340, 0, 0 } }, /* each in its own */
	{ 0xd, 2, 0, 0, { 0, 0, ALL, ALL }, { 0x100, 0x240, 0, 0 } },
	{ 0xd, 5, 0, 0, { 0x40, 0x440, ALL, ALL }, { 0x40, 0x340, 3, 0 } },
	{ 0xd, 6, 0, 0, { 0, 0, ALL, ALL }, { 0x200, 0x380, 3, 0 } },
	{ 0xd, 7, 0, 0, { 0, 0, ALL, ALL }, { 0x400, 0x580, 3, 0 } },
	{ 0xd, 9, 0, 0, { 0, 0, ALL, ALL }, { 8, 0x980, 0, 0 } },
	{ 0xd, 11, 0, 0, { 0, 1, 0, 1 }, { 0x10, 0, 1, 0 } },
	{ 0xd, 12, 0, 0, { 0, 1, 0, 1 }, { 0x18, 0, 1, 0 } },
	{ 0xf, 0, 0, 0, { ALL, ALL, ALL, ALL }, { 0, ALL, 0, 2 } },
	{ 0xf, 1, 0, 0, { ALL, ALL, ALL, ALL }, { 0x1ff, ALL, ALL, 7 } },
	{ 0x10, 0, 0, 0, { ALL, ALL, ALL, ALL }, { 0, 6, 0, 0 } },
	{ 0x10, 1, 0, 0, { ALL, ALL, ALL, ALL }, { 0x1f, ALL, 4, 0xffff } },
	{ 0x80000000, 0, 0, 0, { 0x80000029, 1, 2, 3 }, { 0x80000028, 1, 2, 3 } },
	{ 0x80000001, 0, 0, 0, { GENOA + 1, ALL, ALL, ALL },
	  { GENOA, 0xf0000000, 0x75c237ff, 0x2fd3fbff } },
	{ 0x80000002, 0, 0, 0, { ALL, ALL, ALL, ALL }, { ALL, ALL, ALL, ALL } },
	{ 0x80000003, 0, 0, 0, { ALL, ALL, ALL, ALL }, { ALL, ALL, ALL, ALL } },
	{ 0x80000004, 0, 0, 0, { ALL, ALL, ALL, ALL }, { ALL, ALL, ALL, ALL } },
	{ 0x80000005, 0, 0, 0, { ALL, ALL, ALL, ALL }, { ALL, ALL, ALL, ALL } },
	{ 0x80000006, 0, 0, 0, { ALL, ALL, ALL, ALL }, { ALL, ALL, ALL, 0xfffcffff } },
	{ 0x80000007, 0, 0, 0, { ALL, ALL, ALL, ALL }, { 0, 0x3b, ALL, 0x6799 } },
	{ 0x80000008, 0, 0, 0, { 0x00303934, 0, 0, 0x10007 }, { 0x00303934, 0, 0, 0x10007 } },
	{ 0x80000008, 0, 0, 0, { ALL, ALL, ALL, ALL },
	  { 0x00ff3934, 0x79bef35f, 0x0003f0ff, 0x00010007 } },
	{ 0x8000000a, 0, 0, 0, { ALL, ALL, ALL, ALL }, { 0xff, ALL, 0, 0x1fbfbcff } },
	{ 0x80000019, 0, 0, 0, { ALL, ALL, ALL, ALL }, { ALL, ALL, 0, 0 } },
	{ 0x8000001a, 0, 0, 0, { ALL, ALL, ALL, ALL }, { 7, 0, 0, 0 } },
	{ 0x8000001b, 0, 0, 0, { ALL, ALL, ALL, ALL }, { 0xbff, 0, 0, 0 } },
	{ 0x8000001d, 0, 0, 0, { ALL, ALL, ALL, ALL }, { 0x03ffc3ff, ALL, ALL, 3 } },
	{ 0x8000001d, 3, 0, 0, { ALL, ALL, ALL, ALL }, { 0x03ffc3ff, ALL, ALL, 3 } },
	{ 0x8000001d, 4, 0, 0, { ALL, ALL, ALL, ALL }, { 0xf, 0, ALL, 0 } },
	{ 0x8000001e, 0, 0, 0, { ALL, ALL, ALL, ALL }, { ALL, 0xffff, 0x7ff, 0 } },
	{ 0x8000001f, 0, 0, 0, { ALL, 0x4fb3, 1, 2 }, { 0x030fffff, 0x4fb3, 1, 2 } },
	{ 0x8000001f, 0, 0, 0, { 0x1a, 0x5073, 0, 0 }, { 0x1a, 0x4073, 0, 0 } },
	{ 0x8000001f, 0, 0, 0, { 0x1a, 0x80000033, 0, 0 }, { 0x1a, 0x33, 0, 0 } },
	{ 0x80000020, 0, 0, 0, { ALL, ALL, ALL, ALL }, { 0, 0x1e, 0, 0 } },
	{ 0x80000020, 1, 0, 0, { ALL, ALL, ALL, ALL }, { ALL, 0, 0, ALL } },
	{ 0x80000020, 2, 0, 0, { ALL, ALL, ALL, ALL }, { ALL, 0, 0, ALL } },
	{ 0x80000020, 3, 0, 0, { ALL, ALL, ALL, ALL }, { 0, ALL, 0x7f, 0 } },
	{ 0x80000021, 0, 0, 0, { ALL, ALL, ALL, ALL }, { 0x18062fcf, 0xfff, 0, 0 } },
	{ 0x80000022, 0, 0, 0, { ALL, 0x3ff, 9, 1 }, { 7, 0x106, 9, 0 } },
	{ 0x80000022, 0, 0, 0, { 0, 0x106, 0, 0 }, { 0, 0x106, 0, 0 } },
	{ 0x80000023, 0, 0, 0, { ALL, ALL, ALL, ALL }, { 1, ALL, 0, 0 } },
	{ 0x80000026, 0, 0, 0, { ALL, ALL, ALL, ALL }, { ALL, ALL, ALL, ALL } },
	{ 0x80000026, 3, 0, 0, { ALL, ALL, ALL, ALL }, { ALL, ALL, ALL, ALL } },
	/* What no rule names must be zero: leaves, and indices of leaves that have none. */
	{ 1, 1, 0, 0, { 1, 0x800, 0, 0 }, { 0, 0, 0, 0 } },
	{ 3, 0, 0, 0, { 1, 0, 0, 0 }, { 0, 0, 0, 0 } },
	{ 4, 1, 0, 0, { 1, 0, 0, 0 }, { 0, 0, 0, 0 } },
	{ 7, 2, 0, 0, { 0, 0, 0, 1 }, { 0, 0, 0, 0 } },
	{ 0xb, 3, 0, 0, { 0, 0, 0, 1 }, { 0, 0, 0, 0 } },
	{ 0xd, 3, 0, 0, { 0x40, 0, 0, 0 }, { 0, 0, 0, 0 } },
	{ 0x26, 0, 0, 0, { 1, 2, 3, 4 }, { 0, 0, 0, 0 } },
	{ 0x8000001d, 5, 0, 0, { 1, 0, 0, 0 }, { 0, 0, 0, 0 } },
	{ 0x80000024, 0, 0, 0, { 1, 0, 0, 0 }, { 0, 0, 0, 0 } },
	{ 0x8000ffff, 0, 0, 0, { 0, 0, 0, 1 }, { 0, 0, 0, 0 } },
	/* Outside both ranges nothing is looked at. */
	{ 0x10000, 0, 0, 0, { ALL, ALL, ALL, ALL }, { ALL, ALL, ALL, ALL } },
	{ 0x40000000, 0, 0, 0, { 1, 2, 3, 4 }, { 1, 2, 3, 4 } },
	{ 0x80010000, 0, 0, 0, { 9, 9, 9, 9 }, { 9, 9, 9, 9 } },
	{ 0xc0000000, 0, 0, 0, { 9, 9, 9, 9 }, { 9, 9, 9, 9 } },
};

static void table(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];
		struct entry e = { .leaf = r->leaf, .subleaf = r->subleaf, .xcr0 = r->xcr0,
				   .xss = r->xss };
		bool good = memcmp(r->given, r->want, sizeof(r->want)) == 0;

		memcpy(e.reg, r->given, sizeof(e.reg));
		enum cpuid_verdict v = check(&e);
		if (v != (good ? CPUID_GOOD : CPUID_CORRECTED) ||
		    memcmp(e.reg, r->want, sizeof(e.reg)) != 0)
			fail_msg("row %zu, leaf %x.%x: verdict %d, %x %x %x %x", i, r->leaf,
				 r->subleaf, (int)v, e.reg[0], e.reg[1], e.reg[2], e.reg[3]);
		/* What the firmware itself wrote it takes. */
		if (check(&e) != CPUID_GOOD)
			fail_msg("row %zu, leaf %x.%x: refused again", i, r->leaf, r->subleaf);
	}
}

/* The exception: only the right C-bit's ones are added, so that a wrong one stays wrong. */
static void wrong_c_bit(void **unused)
{
	struct entry e = { .leaf = 0x8000001f, .reg = { 0x1a, 0x2f, 0, 0 } };

	(void)unused;
	assert_int_equal(check(&e), CPUID_CORRECTED);
	assert_int_equal(e.reg[1], 0x3f);
	assert_int_equal(check(&e), CPUID_REFUSED); /* the page is as it was: no way forward */
	assert_int_equal(e.reg[1], 0x3f);
}

static void entries(void **unused)
{
	const uint32_t two = 2;
	struct entry e[2] = { { .leaf = 6, .reg = { 5, 0, 0, 0 } },
			      { .leaf = 0x80000007, .reg = { 1, 0, 0, 0 } } };

	(void)unused;
	/* All are corrected at once. */
	memset(page, 0, sizeof(page));
	memcpy(page, &two, sizeof(two));
	memcpy(page + 16, e, sizeof(e));
	assert_int_equal(cpuid_check(page, GENOA), CPUID_CORRECTED);
	memcpy(e, page + 16, sizeof(e));
	assert_int_equal(e[0].reg[0], 4);
	assert_int_equal(e[1].reg[0], 0);
	assert_int_equal(cpuid_check(page, GENOA), CPUID_GOOD);
	/* A reserved field is noticed, not mended; where nothing is checked it is not noticed. */
	e[0].reserved = 1;
	assert_int_equal(check(&e[0]), CPUID_REFUSED);
	assert_int_equal(e[0].reserved, 1);
	e[0].leaf = 0x40000000;
	assert_int_equal(check(&e[0]), CPUID_GOOD);
	/* Behind the count nothing is looked at. */
	memset(page, 0xff, sizeof(page));
	memset(page, 0, 16);
	assert_int_equal(cpuid_check(page, GENOA), CPUID_GOOD);
}

static void header(void **unused)
{
	static const struct {
		size_t at;
		uint8_t value;
		enum cpuid_verdict want;
	} row[] = {
		{ 0, 0, CPUID_GOOD },	 { 0, 64, CPUID_GOOD },	   { 0, 65, CPUID_REFUSED },
		{ 3, 1, CPUID_REFUSED }, { 4, 1, CPUID_REFUSED },  { 7, 0x80, CPUID_REFUSED },
		{ 8, 1, CPUID_REFUSED }, { 15, 0x80, CPUID_REFUSED },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		memset(page, 0, sizeof(page));
		for (unsigned k = 0; k < CPUID_ENTRY_MAX; k++)
			page[16 + 48 * k] = 2; /* a leaf with nothing to correct */
		page[row[i].at] = row[i].value;
		assert_int_equal(cpuid_check(page, GENOA), row[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table),
		cmocka_unit_test(wrong_c_bit),
		cmocka_unit_test(entries),
		cmocka_unit_test(header),
	};

	return cmocka_run_group_tests_name("psp_cpuid", tests, NULL, NULL);
}
