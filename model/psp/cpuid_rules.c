/* The rules are constants of the firmware, the same on every Genoa (AMD publishes its source: "AMD
 * ASP firmware", sev_uapp, CPUID lookup), but for the processor's family, model and stepping. */
#include "model/psp/cpuid_rules.h"

#include <cpuid.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define CHECKED_RANGE 0xffffu
#define EXTENDED 0x80000000u
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct reg {
	enum { MASK, EXACT, LIMIT } kind;
	uint32_t value;
};
#define BITS(v) { MASK, v } /* no other bit may be one */
#define IS(v) { EXACT, v }
#define AT_MOST(v) { LIMIT, v }
#define ANY BITS(0xffffffff)
#define ZERO BITS(0)

struct leaf {
	uint32_t leaf, subleaf; /* both as in the entry: an unlisted pair must be all zero */
	struct reg reg[4];	/* EAX EBX ECX EDX */
};

/* Where a register is made of fields, or depends on others, ANY: check_fields. Leaf 8000_0024, the
 * firmware's own features, is left out: KVM shows it to no guest. */
static const struct leaf rules[] = {
	{ 0x0, 0, { AT_MOST(0x10), ANY, ANY, ANY } },
	{ 0x1, 0, { ANY, ANY, BITS(0xfefa320b), BITS(0x178bfbff) } },
	{ 0x2, 0, { ANY, ANY, ANY, ANY } },
	{ 0x4, 0, { ANY, ANY, ANY, ANY } },
	{ 0x5, 0, { BITS(0xffff), BITS(0xffff), BITS(0x3), BITS(0xff) } },
	{ 0x6, 0, { BITS(0x4), ZERO, BITS(0x1), ZERO } },
	{ 0x7, 0, { AT_MOST(0x1), BITS(0xf1bf97a9), BITS(0x415fde), ANY } },
	{ 0x7, 1, { BITS(0x20), ZERO, ZERO, ZERO } },
	{ 0xb, 0, { BITS(0x1f), BITS(0xffff), BITS(0xffff), ANY } },
	{ 0xb, 1, { BITS(0x1f), BITS(0xffff), BITS(0xffff), ANY } },
	{ 0xb, 2, { BITS(0x1f), BITS(0xffff), BITS(0xffff), ANY } },
	{ 0xd, 0, { ANY, ANY, ANY, ZERO } },
	{ 0xd, 1, { BITS(0xf), ANY, BITS(0x1800), ZERO } },
	{ 0xd, 2, { IS(0x100), IS(0x240), ZERO, ZERO } },
	{ 0xd, 5, { IS(0x40), IS(0x340), BITS(0x3), ZERO } },
	{ 0xd, 6, { IS(0x200), IS(0x380), BITS(0x3), ZERO } },
	{ 0xd, 7, { IS(0x400), IS(0x580), BITS(0x3), ZERO } },
	{ 0xd, 9, { IS(0x8), IS(0x980), ZERO, ZERO } },
	{ 0xd, 11, { IS(0x10), ZERO, IS(0x1), ZERO } },
	{ 0xd, 12, { IS(0x18), ZERO, IS(0x1), ZERO } },
	{ 0xf, 0, { ZERO, ANY, ZERO, BITS(0x2) } },
	{ 0xf, 1, { BITS(0x1ff), ANY, ANY, BITS(0x7) } },
	{ 0x10, 0, { ZERO, BITS(0x6), ZERO, ZERO } },
	{ 0x10, 1, { BITS(0x1f), ANY, BITS(0x4), BITS(0xffff) } },
	{ 0x80000000, 0, { AT_MOST(0x80000028), ANY, ANY, ANY } },
	{ 0x80000001, 0, { ANY, BITS(0xf0000000), BITS(0x75c237ff), BITS(0x2fd3fbff) } },
	{ 0x80000002, 0, { ANY, ANY, ANY, ANY } },
	{ 0x80000003, 0, { ANY, ANY, ANY, ANY } },
	{ 0x80000004, 0, { ANY, ANY, ANY, ANY } },
	{ 0x80000005, 0, { ANY, ANY, ANY, ANY } },
	{ 0x80000006, 0, { ANY, ANY, ANY, BITS(0xfffcffff) } },
	{ 0x80000007, 0, { ZERO, BITS(0x3b), ANY, BITS(0x6799) } },
	{ 0x80000008, 0, { BITS(0xffffff), BITS(0x79bef35f), BITS(0x3f0ff), BITS(0xffffff) } },
	{ 0x8000000a, 0, { BITS(0xff), ANY, ZERO, BITS(0x1fbfbcff) } },
	{ 0x80000019, 0, { ANY, ANY, ZERO, ZERO } },
	{ 0x8000001a, 0, { BITS(0x7), ZERO, ZERO, ZERO } },
	{ 0x8000001b, 0, { BITS(0xbff), ZERO, ZERO, ZERO } },
	{ 0x8000001d, 0, { BITS(0x3ffc3ff), ANY, ANY, BITS(0x3) } },
	{ 0x8000001d, 1, { BITS(0x3ffc3ff), ANY, ANY, BITS(0x3) } },
	{ 0x8000001d, 2, { BITS(0x3ffc3ff), ANY, ANY, BITS(0x3) } },
	{ 0x8000001d, 3, { BITS(0x3ffc3ff), ANY, ANY, BITS(0x3) } },
	{ 0x8000001d, 4, { BITS(0xf), ZERO, ANY, ZERO } },
	{ 0x8000001e, 0, { ANY, BITS(0xffff), BITS(0x7ff), ZERO } },
	{ 0x8000001f, 0, { BITS(0x30fffff), ANY, ANY, ANY } },
	{ 0x80000020, 0, { ZERO, BITS(0x1e), ZERO, ZERO } },
	{ 0x80000020, 1, { ANY, ZERO, ZERO, ANY } },
	{ 0x80000020, 2, { ANY, ZERO, ZERO, ANY } },
	{ 0x80000020, 3, { ZERO, ANY, BITS(0x7f), ZERO } },
	{ 0x80000021, 0, { BITS(0x18062fcf), BITS(0xfff), ZERO, ZERO } },
	{ 0x80000022, 0, { BITS(0x7), ANY, ANY, ZERO } },
	{ 0x80000023, 0, { BITS(0x1), ANY, ZERO, ZERO } },
	{ 0x80000026, 0, { ANY, ANY, ANY, ANY } },
	{ 0x80000026, 1, { ANY, ANY, ANY, ANY } },
	{ 0x80000026, 2, { ANY, ANY, ANY, ANY } },
	{ 0x80000026, 3, { ANY, ANY, ANY, ANY } },
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
		if (rules[i].leaf == leaf && rules[i].subleaf == subleaf)
			return &rules[i];
	return NULL;
}

static uint32_t allowed(const struct reg *rule, uint32_t value)
{
	switch (rule->kind) {
	case MASK:
		return value & rule->value;
	case LIMIT:
		return value > rule->value ? rule->value : value;
	default:
		return rule->value;
	}
}

static uint32_t at_most(uint32_t value, unsigned shift, uint32_t mask, uint32_t limit)
{
	uint32_t field = value >> shift & mask;

	return field <= limit ? value : (value & ~(mask << shift)) | limit << shift;
}

/* Family, then model, then stepping; the firmware adds up base and extended parts. */
static bool is_newer(uint32_t fms, uint32_t than)
{
	const uint32_t a[] = { (fms >> 20 & 0xff) + (fms >> 8 & 0xf),
			       (fms >> 16 & 0xf) + (fms >> 4 & 0xf), fms & 0xf };
	const uint32_t b[] = { (than >> 20 & 0xff) + (than >> 8 & 0xf),
			       (than >> 16 & 0xf) + (than >> 4 & 0xf), than & 0xf };

	for (size_t i = 0; i < COUNT(a); i++)
		if (a[i] != b[i])
			return a[i] > b[i];
	return false;
}

static uint32_t allowed_fms(uint32_t value, uint32_t fms)
{
	return (is_newer(value, fms) ? fms : value) & 0x0fff0fff;
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
static uint32_t xsavec_size(uint64_t xcr0, uint64_t xss)
{
	static const struct {
		unsigned bit;
		uint32_t size;
	} user[] = { { 2, 0x100 }, { 5, 0x40 }, { 6, 0x200 }, { 7, 0x400 }, { 9, 8 } },
	  supervisor[] = { { 11, 0x10 }, { 12, 0x18 } };
	uint32_t size = 0x240;

	for (size_t i = 0; i < COUNT(user); i++)
		if ((xcr0 >> user[i].bit & 1) != 0)
			size += user[i].size;
	for (size_t i = 0; i < COUNT(supervisor); i++)
		if ((xss >> supervisor[i].bit & 1) != 0)
			size += supervisor[i].size;
	return size;
}

/* A wrong C-bit is not mended: the firmware only adds its own bits, and refuses the page again. */
static uint32_t allowed_sev(uint32_t ebx)
{
	if ((ebx & 0xffff003f) != CPUID_C_BIT)
		ebx = (ebx & ~0xfc0u) | CPUID_C_BIT;
	return at_most(ebx, 12, 0xf, 4) & 0xffff;
}

static void check_fields(struct entry *e, uint32_t fms)
{
	switch (e->leaf) {
	case 1:
		e->reg[0] = allowed_fms(e->reg[0], fms);
		e->reg[1] = (e->reg[1] & 0xffff0000) | 0x800; /* CLFLUSH; brand */
		break;
	case 7: /* one wrong bit costs the right ones, too */
		if (e->subleaf == 0 && (e->reg[3] & ~0x10000010u) != 0)
			e->reg[3] = 0;
		break;
	case 0xd:
		if (e->subleaf == 0) {
			e->reg[0] = (e->reg[0] | 3) & 0x2e7;
			e->reg[1] = xsave_size(e->xcr0);
		} else if (e->subleaf == 1) {
			e->reg[1] = xsavec_size(e->xcr0, e->xss);
		}
		break;
	case 0x80000001:
		e->reg[0] = allowed_fms(e->reg[0], fms);
		break;
	case 0x80000008:
		e->reg[0] = at_most(e->reg[0], 0, 0xff, 0x34);
		e->reg[0] = at_most(e->reg[0], 8, 0xff, 0x39);
		e->reg[3] = at_most(e->reg[3], 0, 0xffff, 7);
		e->reg[3] = at_most(e->reg[3], 16, 0xff, 1);
		break;
	case 0x8000001f:
		e->reg[1] = allowed_sev(e->reg[1]);
		break;
	case 0x80000022:
		e->reg[1] = at_most(e->reg[1], 0, 0xf, 6);
		e->reg[1] = at_most(e->reg[1], 4, 0x3f, 0x10);
		break;
	default:
		break;
	}
}

static bool is_checked(const struct entry *e)
{
	return e->leaf <= CHECKED_RANGE ||
	       (e->leaf >= EXTENDED && e->leaf <= EXTENDED + CHECKED_RANGE);
}

static void correct(struct entry *e, uint32_t fms)
{
	const struct leaf *rule = find(e->leaf, e->subleaf);

	if (rule == NULL) {
		memset(e->reg, 0, sizeof(e->reg));
		return;
	}
	for (unsigned i = 0; i < 4; i++)
		e->reg[i] = allowed(&rule->reg[i], e->reg[i]);
	check_fields(e, fms);
}

/* Wrong, and still wrong in the page that comes back. */
static bool stays_wrong(const struct entry *e)
{
	bool sev = e->leaf == 0x8000001f && e->subleaf == 0;

	return e->reserved != 0 || (sev && (e->reg[1] & 0x3f) != CPUID_C_BIT);
}

static bool header_is_good(const uint8_t page[4096], uint32_t *count)
{
	uint32_t reserved;
	uint64_t reserved2;

	memcpy(count, page, sizeof(*count));
	memcpy(&reserved, page + 4, sizeof(reserved));
	memcpy(&reserved2, page + 8, sizeof(reserved2));
	return *count <= CPUID_ENTRY_MAX && reserved == 0 && reserved2 == 0;
}

enum cpuid_verdict cpuid_check(uint8_t page[4096], uint32_t fms)
{
	enum cpuid_verdict verdict = CPUID_GOOD;
	uint32_t count;

	if (!header_is_good(page, &count))
		return CPUID_REFUSED;
	for (uint32_t i = 0; i < count; i++) {
		struct entry e, before;

		memcpy(&e, page + 16 + i * sizeof(e), sizeof(e));
		before = e;
		if (!is_checked(&e))
			continue;
		correct(&e, fms);
		if (stays_wrong(&e) && verdict == CPUID_GOOD)
			verdict = CPUID_REFUSED;
		if (memcmp(&e, &before, sizeof(e)) != 0) {
			memcpy(page + 16 + i * sizeof(e), &e, sizeof(e));
			verdict = CPUID_CORRECTED;
		}
	}
	return verdict;
}

uint32_t cpuid_fms_of_this_machine(void)
{
	uint32_t a = 0, b, c, d;

	return __get_cpuid(1, &a, &b, &c, &d) == 1 ? a : 0;
}
