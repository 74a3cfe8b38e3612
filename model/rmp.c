#include "model/rmp.h"

#define VMPL_MASK  0xFFull
#define VMPL_LAST  3u
#define VMSA_BIT   (1ull << 16)
#define ADJUST_MBZ (~0x1FFFFull)

/* What both instructions check first. True: go on, the page is assigned and of that size. */
static bool check_operand(struct pages *p, uint64_t page, bool large, bool aligned,
			  struct rmp_answer *a)
{
	*a = (struct rmp_answer){ 0 };
	if (!aligned) {
		a->code = RMP_FAIL_INPUT;
		return false;
	}
	if (!pages_touch(p, page, true)) {
		a->fault = true;
		return false;
	}
	if (!large) {
		pages_split(p, page); /* the hypervisor does it when the instruction faults */
		return true;
	}
	if ((p->page[page] & PG_LARGE) == 0) {
		a->code = RMP_FAIL_SIZEMISMATCH;
		return false;
	}
	return true;
}

struct rmp_answer rmp_pvalidate(struct pages *p, uint64_t page, bool large, bool aligned,
				bool validate)
{
	uint64_t count = large ? PAGES_LARGE : 1;
	struct rmp_answer a;

	if (!check_operand(p, page, large, aligned, &a))
		return a;
	a.unchanged = ((p->page[page] & PG_ACCEPTED) != 0) == validate;
	for (uint64_t i = page; i < page + count; i++) {
		if (validate)
			p->page[i] |= PG_ACCEPTED;
		else
			p->page[i] &= (uint8_t)~PG_ACCEPTED;
	}
	return a;
}

struct rmp_answer rmp_adjust(struct pages *p, uint64_t page, bool large, bool aligned,
			     uint64_t attributes)
{
	struct rmp_answer a;
	uint64_t target = attributes & VMPL_MASK;

	if (!check_operand(p, page, large, aligned, &a))
		return a;
	if ((attributes & ADJUST_MBZ) != 0 || target > VMPL_LAST)
		a.code = RMP_FAIL_INPUT;
	else if (target == 0 || (p->page[page] & PG_ACCEPTED) == 0)
		a.code = RMP_FAIL_PERMISSION; /* only levels below the caller's own */
	else if (!large && (attributes & VMSA_BIT) != 0)
		p->page[page] |= PG_VMSA;
	else if (!large)
		p->page[page] &= (uint8_t)~PG_VMSA;
	return a;
}
