#include "model/ghcb.h"

#include "firmware/layout.h"

#include <string.h>

/* MSR protocol: AMD 56421 §2.3.1. */
#define INFO_MASK     0xFFFull
#define SEV_INFO      0x002u
#define SEV_INFO_ANSWER ((2ull << 48) | (1ull << 32) | ((uint64_t)SNP_C_BIT << 24) | 0x001u)
#define PREFERRED     0x010u
#define PREFERRED_ANSWER (~INFO_MASK | 0x011u) /* none */
#define REGISTER      0x012u
#define REGISTER_ANSWER 0x013u
#define PSC           0x014u
#define PSC_ANSWER    0x015u
#define FEATURES      0x080u
#define FEATURES_BITS 3ull /* SNP, AP creation */
#define FEATURES_ANSWER ((FEATURES_BITS << 12) | 0x081u)
#define TERMINATE     0x100u
#define GFN_MASK      0x000FFFFFFFFFF000ull

/* The page: §2.6. */
#define RAX          0x1F8u
#define EXIT_CODE    0x390u
#define EXIT_INFO1   0x398u
#define EXIT_INFO2   0x3A0u
#define SCRATCH      0x3A8u
#define VALID_BITMAP 0x3F0u
#define BUFFER       0x800u
#define BUFFER_END   0xFF0u
#define VERSION      0xFFAu
#define USAGE        0xFFCu

#define CODE_IOIO       0x7Bull
#define CODE_MMIO_READ  0x80000001ull
#define CODE_MMIO_WRITE 0x80000002ull
#define CODE_PSC        0x80000010ull
#define CODE_FEATURES   0x8000FFFDull
#define CODE_TERMINATE  0x8000FFFEull

/* EXITINFO1 of an answer to a malformed call, and why (EXITINFO2). */
#define MALFORMED     2u
#define WHY_USAGE     2u
#define WHY_SCRATCH   3u
#define WHY_MISSING   4u
#define WHY_INPUT     5u
#define WHY_EVENT     6u

/* A page state change: §4.1.6. */
#define PSC_ENTRIES_MAX 253u
#define PSC_GENERIC     (0x100ull << 32)
#define PSC_BAD_HEADER  ((1ull << 32) | 1u)
#define PSC_BAD_ENTRY   ((1ull << 32) | 2u)
#define PSC_LARGE       (1ull << 56)
#define PSC_PRIVATE     1u
#define PSC_SHARED      2u
#define LARGE_BYTES     0x200000ull

static uint64_t get(const uint8_t *page, unsigned offset)
{
	uint64_t v;

	memcpy(&v, page + offset, sizeof(v));
	return v;
}

static void put(uint8_t *page, unsigned offset, uint64_t v)
{
	memcpy(page + offset, &v, sizeof(v));
}

static bool is_valid(const uint8_t *page, unsigned offset)
{
	unsigned bit = offset / 8;

	return page[VALID_BITMAP + bit / 8] >> bit % 8 & 1;
}

static bool psc_operation(uint64_t entry, struct ghcb_change *c)
{
	unsigned operation = entry >> 52 & 0xF;

	c->gpa = entry & GFN_MASK;
	c->private = operation == PSC_PRIVATE;
	c->large = (entry & PSC_LARGE) != 0;
	c->pages = c->large ? 512 : 1;
	return operation == PSC_PRIVATE || operation == PSC_SHARED;
}

struct ghcb_call ghcb_msr_request(uint64_t msr, uint64_t *answer)
{
	struct ghcb_call c = { .kind = GHCB_ANSWERED };

	switch (msr & INFO_MASK) {
	case SEV_INFO:
		*answer = SEV_INFO_ANSWER;
		break;
	case PREFERRED:
		*answer = PREFERRED_ANSWER;
		break;
	case FEATURES:
		*answer = FEATURES_ANSWER;
		break;
	case REGISTER:
		c.kind = GHCB_REGISTER;
		c.value = msr & ~INFO_MASK;
		*answer = c.value | REGISTER_ANSWER;
		break;
	case PSC:
		*answer = ghcb_msr_psc_answer(1);
		if (psc_operation(msr & ~PSC_LARGE, &c.change))
			c.kind = GHCB_CHANGE;
		break;
	case TERMINATE:
		c.kind = GHCB_TERMINATE;
		c.value = msr;
		break;
	default:
		c.kind = GHCB_UNKNOWN;
	}
	return c;
}

uint64_t ghcb_msr_psc_answer(uint64_t ret)
{
	return (ret != 0 ? 1ull << 32 : 0) | PSC_ANSWER;
}

static struct ghcb_call malformed(uint8_t *page, uint64_t why)
{
	put(page, EXIT_INFO1, MALFORMED);
	put(page, EXIT_INFO2, why);
	return (struct ghcb_call){ .kind = GHCB_ANSWERED };
}

static struct ghcb_call answered(uint8_t *page, uint64_t info2)
{
	put(page, EXIT_INFO2, info2);
	return (struct ghcb_call){ .kind = GHCB_ANSWERED };
}

/* Version 2: the scratch area lies inside the page's own buffer. */
static bool scratch(const uint8_t *page, uint64_t gpa, uint64_t size, unsigned *offset)
{
	uint64_t at = get(page, SCRATCH);

	if (!is_valid(page, SCRATCH) || at < gpa + BUFFER || at > gpa + BUFFER_END ||
	    size > gpa + BUFFER_END - at)
		return false;
	*offset = (unsigned)(at - gpa);
	return true;
}

static unsigned entry_at(unsigned offset, unsigned index)
{
	return offset + 8 + 8 * index;
}

/* The next change from the header's current entry on: adjacent entries of the same kind at once. */
static struct ghcb_call next_change(uint8_t *page, unsigned offset)
{
	uint64_t header = get(page, offset);
	unsigned current = header & 0xFFFF, end = header >> 16 & 0xFFFF;
	struct ghcb_call c = { .kind = GHCB_CHANGE, .offset = offset };

	if (end >= PSC_ENTRIES_MAX || entry_at(offset, end + 1) > BUFFER_END)
		return answered(page, PSC_BAD_HEADER);
	if (current > end)
		return answered(page, 0);
	if (!psc_operation(get(page, entry_at(offset, current)), &c.change))
		return answered(page, PSC_BAD_ENTRY);
	if (c.change.large && c.change.gpa % LARGE_BYTES != 0)
		return answered(page, PSC_BAD_ENTRY);
	for (c.entries = 1; current + c.entries <= end; c.entries++) {
		struct ghcb_change n;

		if (!psc_operation(get(page, entry_at(offset, current + c.entries)), &n) ||
		    n.private != c.change.private || n.large != c.change.large ||
		    n.gpa != c.change.gpa + c.change.pages * 4096)
			break;
		c.change.pages += n.pages;
	}
	return c;
}

struct ghcb_call ghcb_page_psc_next(uint8_t page[GHCB_SIZE], const struct ghcb_call *done,
				    uint64_t ret)
{
	uint64_t header = get(page, done->offset);

	if (ret != 0)
		return answered(page, PSC_GENERIC);
	put(page, done->offset, (header & ~0xFFFFull) | ((header & 0xFFFF) + done->entries));
	return next_change(page, done->offset);
}

/* EXITINFO1 of IOIO: AMD APM vol. 2 §15.10.2. */
static struct ghcb_call port_request(uint8_t *page)
{
	uint64_t info1 = get(page, EXIT_INFO1), rax = get(page, RAX);
	struct ghcb_call c = { .kind = GHCB_PORT, .address = info1 >> 16 & 0xFFFF,
			       .size = info1 >> 4 & 7, .write = (info1 & 1) == 0 };

	if (c.write && !is_valid(page, RAX))
		return malformed(page, WHY_MISSING);
	/* String forms (bit 2) would go through the buffer: this model has none. */
	if ((c.size != 1 && c.size != 2 && c.size != 4) || (info1 & 4) != 0)
		return malformed(page, WHY_INPUT);
	c.value = rax & ((1ull << 8 * c.size) - 1);
	put(page, EXIT_INFO1, 0);
	put(page, EXIT_INFO2, 0);
	return c;
}

static struct ghcb_call mmio_request(uint8_t *page, uint64_t gpa, bool write)
{
	struct ghcb_call c = { .kind = GHCB_MMIO, .address = get(page, EXIT_INFO1),
			       .write = write };
	uint64_t size = get(page, EXIT_INFO2);

	if (size == 0 || size > 8)
		return malformed(page, WHY_INPUT);
	c.size = (unsigned)size;
	if (!scratch(page, gpa, size, &c.offset))
		return malformed(page, WHY_SCRATCH);
	if (write)
		memcpy(&c.value, page + c.offset, c.size);
	put(page, EXIT_INFO1, 0);
	put(page, EXIT_INFO2, 0);
	return c;
}

static struct ghcb_call psc_request(uint8_t *page, uint64_t gpa)
{
	unsigned offset;

	if (!scratch(page, gpa, 8, &offset))
		return malformed(page, WHY_SCRATCH);
	put(page, EXIT_INFO1, 0);
	return next_change(page, offset);
}

struct ghcb_call ghcb_page_request(uint8_t page[GHCB_SIZE], uint64_t gpa)
{
	uint64_t code = get(page, EXIT_CODE);
	uint32_t usage;

	memcpy(&usage, page + USAGE, sizeof(usage));
	if (usage != 0)
		return malformed(page, WHY_USAGE);
	if (!is_valid(page, EXIT_CODE) || !is_valid(page, EXIT_INFO1) ||
	    !is_valid(page, EXIT_INFO2))
		return malformed(page, WHY_MISSING);
	switch (code) {
	case CODE_IOIO:
		return port_request(page);
	case CODE_MMIO_READ:
	case CODE_MMIO_WRITE:
		return mmio_request(page, gpa, code == CODE_MMIO_WRITE);
	case CODE_PSC:
		return psc_request(page, gpa);
	case CODE_FEATURES:
		put(page, EXIT_INFO1, 0);
		return answered(page, FEATURES_BITS);
	case CODE_TERMINATE:
		return (struct ghcb_call){ .kind = GHCB_TERMINATE, .value = gpa };
	default:
		return malformed(page, WHY_EVENT);
	}
}

void ghcb_page_port_answer(uint8_t page[GHCB_SIZE], const struct ghcb_call *c, uint64_t value)
{
	uint64_t mask = (1ull << 8 * c->size) - 1;

	put(page, RAX, (get(page, RAX) & ~mask) | (value & mask));
}

void ghcb_write_back(uint8_t *guest_page, const uint8_t page[GHCB_SIZE])
{
	memcpy(guest_page + RAX, page + RAX, 8);
	memcpy(guest_page + EXIT_INFO1, page + EXIT_INFO1, 16);
	memcpy(guest_page + BUFFER, page + BUFFER, BUFFER_END - BUFFER);
}
