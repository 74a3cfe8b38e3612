#include "model/pages.h"

static uint64_t block_of(uint64_t page)
{
	return page & ~(PAGES_LARGE - 1);
}

void pages_split(struct pages *p, uint64_t page)
{
	uint64_t first = block_of(page);

	if ((p->page[page] & PG_LARGE) == 0)
		return;
	for (uint64_t i = first; i < first + PAGES_LARGE; i++)
		p->page[i] &= (uint8_t)~PG_LARGE;
}

/* Splits the entries that [first, first + count) covers in part: only the ends can be. */
static void split_ends(struct pages *p, uint64_t first, uint64_t count)
{
	if (count == 0)
		return;
	if (first % PAGES_LARGE != 0 || count < PAGES_LARGE)
		pages_split(p, first);
	if ((first + count) % PAGES_LARGE != 0)
		pages_split(p, first + count - 1);
}

void pages_set_private(struct pages *p, uint64_t first, uint64_t count, bool private)
{
	split_ends(p, first, count);
	for (uint64_t i = first; i < first + count; i++) {
		if (private)
			p->page[i] |= PG_PRIVATE;
		else
			p->page[i] &= (uint8_t)~PG_PRIVATE;
	}
}

void pages_discard(struct pages *p, uint64_t first, uint64_t count)
{
	split_ends(p, first, count);
	for (uint64_t i = first; i < first + count; i++)
		p->page[i] &= (uint8_t)~(PG_GIVEN | PG_ACCEPTED | PG_LARGE | PG_VMSA);
}

bool pages_can_launch(const struct pages *p, uint64_t page)
{
	return (p->page[page] & (PG_PRIVATE | PG_GIVEN)) == PG_PRIVATE;
}

void pages_launch(struct pages *p, uint64_t page)
{
	p->page[page] |= PG_GIVEN | PG_ACCEPTED;
}

static bool fits_large(const struct pages *p, uint64_t first)
{
	if (first < p->small_below || first + PAGES_LARGE > p->count)
		return false;
	for (uint64_t i = first; i < first + PAGES_LARGE; i++)
		if ((p->page[i] & (PG_PRIVATE | PG_GIVEN)) != PG_PRIVATE)
			return false;
	return true;
}

bool pages_touch(struct pages *p, uint64_t page, bool large)
{
	uint64_t first = block_of(page);

	if ((p->page[page] & PG_PRIVATE) == 0)
		return false;
	if ((p->page[page] & PG_GIVEN) != 0)
		return true;
	if (!large || !fits_large(p, first)) {
		p->page[page] |= PG_GIVEN;
		return true;
	}
	for (uint64_t i = first; i < first + PAGES_LARGE; i++)
		p->page[i] |= PG_GIVEN | PG_LARGE;
	return true;
}
