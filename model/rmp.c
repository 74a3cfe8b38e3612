#include "model/rmp.h"

#define VMPL_MASK  0xFFull
#define VMPL_LAST  3u
#define VMSA_BIT   (1ull << 16)
#define ADJUST_MBZ (~0x1FFFFull)

static uint64_t block_of(uint64_t page)
{
	return page & ~(RMP_LARGE_PAGES - 1);
}

/* PSMASH: 512 entries of 4 KiB with the state of the large one. */
static void split(struct rmp *r, uint64_t page)
{
	uint64_t first = block_of(page);

	if ((r->page[page] & RMP_LARGE) == 0)
		return;
	for (uint64_t i = first; i < first + RMP_LARGE_PAGES; i++)
		r->page[i] &= (uint8_t)~RMP_LARGE;
}

/* Splits the entries that [first, first + count) covers in part: only the ends can be. */
static void split_ends(struct rmp *r, uint64_t first, uint64_t count)
{
	if (count == 0)
		return;
	if (first % RMP_LARGE_PAGES != 0 || count < RMP_LARGE_PAGES)
		split(r, first);
	if ((first + count) % RMP_LARGE_PAGES != 0)
		split(r, first + count - 1);
}

void rmp_set_private(struct rmp *r, uint64_t first, uint64_t count, bool private)
{
	split_ends(r, first, count);
	for (uint64_t i = first; i < first + count; i++) {
		if (private)
			r->page[i] |= RMP_PRIVATE;
		else
			r->page[i] &= (uint8_t)~RMP_PRIVATE;
	}
}

void rmp_discard(struct rmp *r, uint64_t first, uint64_t count)
{
	split_ends(r, first, count);
	for (uint64_t i = first; i < first + count; i++)
		r->page[i] &= (uint8_t)~(RMP_ASSIGNED | RMP_VALIDATED | RMP_LARGE | RMP_VMSA);
}

bool rmp_can_launch(const struct rmp *r, uint64_t page)
{
	return (r->page[page] & (RMP_PRIVATE | RMP_ASSIGNED)) == RMP_PRIVATE;
}

void rmp_launch(struct rmp *r, uint64_t page)
{
	r->page[page] |= RMP_ASSIGNED | RMP_VALIDATED;
}

static bool fits_large(const struct rmp *r, uint64_t first)
{
	if (first < r->small_below || first + RMP_LARGE_PAGES > r->pages)
		return false;
	for (uint64_t i = first; i < first + RMP_LARGE_PAGES; i++)
		if ((r->page[i] & (RMP_PRIVATE | RMP_ASSIGNED)) != RMP_PRIVATE)
			return false;
	return true;
}

bool rmp_touch(struct rmp *r, uint64_t page)
{
	uint64_t first = block_of(page);

	if ((r->page[page] & RMP_PRIVATE) == 0)
		return false;
	if ((r->page[page] & RMP_ASSIGNED) != 0)
		return true;
	if (!fits_large(r, first)) {
		r->page[page] |= RMP_ASSIGNED;
		return true;
	}
	for (uint64_t i = first; i < first + RMP_LARGE_PAGES; i++)
		r->page[i] |= RMP_ASSIGNED | RMP_LARGE;
	return true;
}

/* What both instructions check first. True: go on, the page is assigned and of that size. */
static bool check_operand(struct rmp *r, uint64_t page, bool large, bool aligned,
			  struct rmp_answer *a)
{
	*a = (struct rmp_answer){ 0 };
	if (!aligned) {
		a->code = RMP_FAIL_INPUT;
		return false;
	}
	if (!rmp_touch(r, page)) {
		a->fault = true;
		return false;
	}
	if (!large) {
		split(r, page); /* the hypervisor does it when the instruction faults */
		return true;
	}
	if ((r->page[page] & RMP_LARGE) == 0) {
		a->code = RMP_FAIL_SIZEMISMATCH;
		return false;
	}
	return true;
}

struct rmp_answer rmp_pvalidate(struct rmp *r, uint64_t page, bool large, bool aligned,
				bool validate)
{
	uint64_t count = large ? RMP_LARGE_PAGES : 1;
	struct rmp_answer a;

	if (!check_operand(r, page, large, aligned, &a))
		return a;
	a.unchanged = ((r->page[page] & RMP_VALIDATED) != 0) == validate;
	for (uint64_t i = page; i < page + count; i++) {
		if (validate)
			r->page[i] |= RMP_VALIDATED;
		else
			r->page[i] &= (uint8_t)~RMP_VALIDATED;
	}
	return a;
}

struct rmp_answer rmp_adjust(struct rmp *r, uint64_t page, bool large, bool aligned,
			     uint64_t attributes)
{
	struct rmp_answer a;
	uint64_t target = attributes & VMPL_MASK;

	if (!check_operand(r, page, large, aligned, &a))
		return a;
	if ((attributes & ADJUST_MBZ) != 0 || target > VMPL_LAST)
		a.code = RMP_FAIL_INPUT;
	else if (target == 0 || (r->page[page] & RMP_VALIDATED) == 0)
		a.code = RMP_FAIL_PERMISSION; /* only levels below the caller's own */
	else if (!large && (attributes & VMSA_BIT) != 0)
		r->page[page] |= RMP_VMSA;
	else if (!large)
		r->page[page] &= (uint8_t)~RMP_VMSA;
	return a;
}
