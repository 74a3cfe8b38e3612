#include "model/psp/cpuid_rules.h"

#include <cpuid.h>
#include <stddef.h>
#include <string.h>

#define ANY 0xffffffffu /* any subleaf */
#define CHECKED_RANGE 0xffffu
#define EXTENDED 0x80000000u
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum kind {
	ZERO, /* first: what a table leaves out must be zero */
	FREE,
	MASK, /* bits of value that the processor has, and the bits of free */
	SAME, /* exactly the processor's */
	EXACT, /* exactly value, but for the bits of free */
	AT_MOST, /* the number is at most value */
	AT_MOST_SAME, /* ... at most the processor's */
};

struct reg {
	enum kind kind;
	uint32_t value, free;
};

struct leaf {
	uint32_t leaf, subleaf;
	struct reg reg[4]; /* EAX EBX ECX EDX */
};

/* 8000_0002..6 and 8000_001E (names, caches, APIC ids) are unchecked like 2, 4 and B. */
static const struct leaf rules[] = {
	{ 0x0, ANY, { { AT_MOST, 0x10, 0 }, { SAME, 0, 0 }, { SAME, 0, 0 }, { SAME, 0, 0 } } },
	{ 0x1, ANY, { { AT_MOST_SAME, 0, 0 }, { EXACT, 0x800, 0xffff0000 },
		      { MASK, 0x76fa320b, 0x88000000 }, { MASK, 0x178bfbff, 0 } } },
	{ 0x2, ANY, { { FREE, 0, 0 }, { FREE, 0, 0 }, { FREE, 0, 0 }, { FREE, 0, 0 } } },
	{ 0x4, ANY, { { FREE, 0, 0 }, { FREE, 0, 0 }, { FREE, 0, 0 }, { FREE, 0, 0 } } },
	{ 0x5, ANY, { { EXACT, 0, 0xffff }, { EXACT, 0, 0xffff }, { EXACT, 0, 3 },
		      { FREE, 0, 0 } } },
	{ 0x6, ANY, { { MASK, 4, 0 }, { ZERO, 0, 0 }, { MASK, 1, 0 }, { ZERO, 0, 0 } } },
	{ 0x7, 0, { { AT_MOST, 1, 0 }, { MASK, 0xf1bf97a9, 0 }, { MASK, 0x415fce, 0x10 },
		    { MASK, 0x10000010, 0 } } },
	{ 0x7, 1, { { MASK, 0x20, 0 }, { ZERO, 0, 0 }, { ZERO, 0, 0 }, { ZERO, 0, 0 } } },
	{ 0xb, ANY, { { FREE, 0, 0 }, { FREE, 0, 0 }, { FREE, 0, 0 }, { FREE, 0, 0 } } },
	{ 0xd, 2, { { EXACT, 0x100, 0 }, { EXACT, 0x240, 0 }, { FREE, 0, 0 }, { FREE, 0, 0 } } },
	{ 0xd, 5, { { EXACT, 0x40, 0 }, { EXACT, 0x340, 0 }, { FREE, 0, 0 }, { FREE, 0, 0 } } },
	{ 0xd, 6, { { EXACT, 0x200, 0 }, { EXACT, 0x380, 0 }, { FREE, 0, 0 }, { FREE, 0, 0 } } },
	{ 0xd, 7, { { EXACT, 0x400, 0 }, { EXACT, 0x580, 0 }, { FREE, 0, 0 }, { FREE, 0, 0 } } },
	{ 0xd, 9, { { EXACT, 8, 0 }, { EXACT, 0x980, 0 }, { FREE, 0, 0 }, { FREE, 0, 0 } } },
	{ 0xd, 11, { { EXACT, 0x10, 0 }, { EXACT, 0, 0 }, { FREE, 0, 0 }, { FREE, 0, 0 } } },
	{ 0xd, 12, { { EXACT, 0x18, 0 }, { EXACT, 0, 0 }, { FREE, 0, 0 }, { FREE, 0, 0 } } },
	{ 0xf, 0, { { ZERO, 0, 0 }, { FREE, 0, 0 }, { ZERO, 0, 0 }, { FREE, 0, 0 } } },
	{ 0x10, 0, { { ZERO, 0, 0 }, { FREE, 0, 0 }, { ZERO, 0, 0 }, { ZERO, 0, 0 } } },
	{ 0x26, ANY, { { FREE, 0, 0 }, { FREE, 0, 0 }, { FREE, 0, 0 }, { FREE, 0, 0 } } },
	{ 0x80000000, ANY, { { AT_MOST, 0x80000028, 0 }, { SAME, 0, 0 }, { SAME, 0, 0 },
			     { SAME, 0, 0 } } },
	{ 0x80000001, ANY, { { AT_MOST_SAME, 0, 0 }, { FREE, 0, 0 }, { MASK, 0x75c237ff, 0 },
			     { MASK, 0x2fd3fbff, 0 } } },
	{ 0x80000002, ANY, { { FREE, 0, 0 }, { FREE, 0, 0 }, { FREE, 0, 0 }, { FREE, 0, 0 } } },
	{ 0x80000003, ANY, { { FREE, 0, 0 }, { FREE, 0, 0 }, { FREE, 0, 0 }, { FREE, 0, 0 } } },
	{ 0x80000004, ANY, { { FREE, 0, 0 }, { FREE, 0, 0 }, { FREE, 0, 0 }, { FREE, 0, 0 } } },
	{ 0x80000005, ANY, { { FREE, 0, 0 }, { FREE, 0, 0 }, { FREE, 0, 0 }, { FREE, 0, 0 } } },
	{ 0x80000006, ANY, { { FREE, 0, 0 }, { FREE, 0, 0 }, { FREE, 0, 0 }, { FREE, 0, 0 } } },
	{ 0x80000007, ANY, { { ZERO, 0, 0 }, { MASK, 0x3b, 0 }, { FREE, 0, 0 },
			     { MASK, 0x6799, 0 } } },
	/* EAX and EDX are fields: see check_sizes. */
	{ 0x80000008, ANY, { { FREE, 0, 0 }, { MASK, 0x79bef35f, 0 }, { FREE, 0, 0 },
			     { FREE, 0, 0 } } },
	{ 0x8000000a, ANY, { { FREE, 0, 0 }, { FREE, 0, 0 }, { ZERO, 0, 0 },
			     { MASK, 0x1fbfbcff, 0 } } },
	{ 0x80000019, ANY, { { FREE, 0, 0 }, { FREE, 0, 0 }, { ZERO, 0, 0 }, { ZERO, 0, 0 } } },
	{ 0x8000001a, ANY, { { FREE, 0, 0 }, { ZERO, 0, 0 }, { ZERO, 0, 0 }, { ZERO, 0, 0 } } },
	{ 0x8000001b, ANY, { { MASK, 0xbff, 0 }, { FREE, 0, 0 }, { FREE, 0, 0 }, { FREE, 0, 0 } } },
	{ 0x8000001d, 4, { { SAME, 0, 0 }, { ZERO, 0, 0 }, { SAME, 0, 0 }, { ZERO, 0, 0 } } },
	{ 0x8000001d, ANY, { { SAME, 0, 0 }, { SAME, 0, 0 }, { SAME, 0, 0 }, { SAME, 0, 0 } } },
	{ 0x8000001e, ANY, { { FREE, 0, 0 }, { FREE, 0, 0 }, { FREE, 0, 0 }, { FREE, 0, 0 } } },
	{ 0x8000001f, ANY, { { MASK, 0x030fffff, 0 }, { EXACT, CPUID_C_BIT, 0xffffffc0 },
			     { FREE, 0, 0 }, { FREE, 0, 0 } } },
	{ 0x80000021, ANY, { { MASK, 0x18062fcf, 0 }, { FREE, 0, 0 }, { ZERO, 0, 0 },
			     { ZERO, 0, 0 } } },
	{ 0x80000022, ANY, { { MASK, 7, 0 }, { FREE, 0, 0 }, { FREE, 0, 0 }, { ZERO, 0, 0 } } },
	{ 0x80000023, ANY, { { MASK, 1, 0 }, { FREE, 0, 0 }, { FREE, 0, 0 }, { FREE, 0, 0 } } },
};

/* An entry of the page, 48 bytes (56860 table "CPUID_FUNCTION"). */
struct entry {
	uint32_t leaf, subleaf;
	uint64_t xcr0, xss;
	uint32_t reg[4];
	uint64_t reserved;
};
_Static_assert(sizeof(struct entry) == 48, "CPUID_FUNCTION");

static const struct leaf *find(uint32_t leaf, uint32_t subleaf)
{
	for (size_t i = 0; i < COUNT(rules); i++)
		if (rules[i].leaf == leaf &&
		    (rules[i].subleaf == ANY || rules[i].subleaf == subleaf))
			return &rules[i];
	return NULL;
}

static uint32_t allowed(const struct reg *rule, uint32_t value, uint32_t hardware)
{
	switch (rule->kind) {
	case FREE:
		return value;
	case MASK:
		return value & ((rule->value & hardware) | rule->free);
	case SAME:
		return hardware;
	case EXACT:
		return rule->value | (value & rule->free);
	case AT_MOST:
		return value > rule->value ? rule->value : value;
	case AT_MOST_SAME:
		return value > hardware ? hardware : value;
	default:
		return 0;
	}
}

static uint32_t at_most(uint32_t value, unsigned shift, uint32_t mask, uint32_t limit)
{
	uint32_t field = value >> shift & mask;

	return field <= limit ? value : (value & ~(mask << shift)) | limit << shift;
}

/* Registers made of several numbers. */
static void check_fields(struct entry *e)
{
	switch (e->leaf) {
	case 0x80000008:
		e->reg[0] = at_most(e->reg[0], 0, 0xff, 0x34);
		e->reg[0] = at_most(e->reg[0], 8, 0xff, 0x39) & 0x00ffffff;
		e->reg[3] = at_most(e->reg[3], 0, 0xffff, 7);
		e->reg[3] = at_most(e->reg[3], 16, 0xffff, 1);
		break;
	case 0x8000001f:
		e->reg[1] = at_most(e->reg[1], 12, 0xf, 4) & 0xffff;
		break;
	case 0x80000022:
		e->reg[1] = at_most(e->reg[1], 0, 0xf, 6);
		e->reg[1] = at_most(e->reg[1], 4, 0x3f, 0x10);
		break;
	default:
		break;
	}
}

/* Bytes of the XSAVE area for the enabled features, standard form: the end of the highest one. */
static uint32_t xsave_size(uint64_t xcr0)
{
	static const struct {
		unsigned bit;
		uint32_t end;
	} parts[] = { { 9, 0x988 }, { 7, 0x980 }, { 6, 0x580 }, { 5, 0x380 }, { 2, 0x340 } };

	for (size_t i = 0; i < COUNT(parts); i++)
		if ((xcr0 >> parts[i].bit & 1) != 0)
			return parts[i].end;
	return 0x240;
}

/* Compacted form: their sum. */
static uint32_t xsavec_size(uint64_t features)
{
	static const struct {
		unsigned bit;
		uint32_t size;
	} parts[] = { { 2, 0x100 }, { 5, 0x40 }, { 6, 0x200 }, { 7, 0x400 },
		      { 9, 8 },     { 11, 0x10 }, { 12, 0x18 } };
	uint32_t size = 0x240;

	for (size_t i = 0; i < COUNT(parts); i++)
		if ((features >> parts[i].bit & 1) != 0)
			size += parts[i].size;
	return size;
}

static void check_xsave(struct entry *e, const uint32_t hardware[4])
{
	if (e->subleaf == 0) {
		e->reg[0] = (e->reg[0] & 0x2e7 & hardware[0]) | 3;
		e->reg[1] = xsave_size(e->xcr0);
		e->reg[3] = 0;
	} else {
		e->reg[0] &= 0xf & hardware[0];
		e->reg[1] = xsavec_size(e->xcr0 | e->xss);
		e->reg[2] &= 0x1800 & hardware[2];
	}
}

static void correct(struct entry *e, cpuid_source hardware)
{
	uint32_t own[4] = { 0 };

	e->reserved = 0;
	if (e->leaf > CHECKED_RANGE &&
	    (e->leaf < EXTENDED || e->leaf > EXTENDED + CHECKED_RANGE))
		return;
	hardware(e->leaf, e->subleaf, own);
	if (e->leaf == 0xd && e->subleaf <= 1) {
		check_xsave(e, own);
		return;
	}
	const struct leaf *rule = find(e->leaf, e->subleaf);
	for (unsigned i = 0; i < 4; i++)
		e->reg[i] = rule == NULL ? 0 : allowed(&rule->reg[i], e->reg[i], own[i]);
	check_fields(e);
}

enum cpuid_verdict cpuid_check(uint8_t page[4096], cpuid_source hardware)
{
	enum cpuid_verdict verdict = CPUID_GOOD;
	uint32_t count, reserved;
	uint64_t reserved2;

	memcpy(&count, page, sizeof(count));
	memcpy(&reserved, page + 4, sizeof(reserved));
	memcpy(&reserved2, page + 8, sizeof(reserved2));
	if (count > CPUID_ENTRY_MAX || reserved != 0 || reserved2 != 0)
		return CPUID_REFUSED;
	for (uint32_t i = 0; i < count; i++) {
		struct entry e, before;

		memcpy(&e, page + 16 + i * sizeof(e), sizeof(e));
		before = e;
		correct(&e, hardware);
		if (memcmp(&e, &before, sizeof(e)) != 0) {
			memcpy(page + 16 + i * sizeof(e), &e, sizeof(e));
			verdict = CPUID_CORRECTED;
		}
	}
	return verdict;
}

void cpuid_of_this_machine(uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
	memset(out, 0, 4 * sizeof(out[0]));
	if (leaf == 0x8000001f) {
		/* SME, SEV, page flush, ES, SNP, VMPL; C-bit 51, one address bit lost, 4 VMPLs */
		out[0] = 0x3f;
		out[1] = CPUID_C_BIT | 1u << 6 | 4u << 12;
		out[2] = 509;
		out[3] = 100;
		return;
	}
	if (leaf > __get_cpuid_max(leaf & EXTENDED, NULL))
		return;
	__cpuid_count(leaf, subleaf, out[0], out[1], out[2], out[3]);
}
