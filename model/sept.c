#include "model/sept.h"

enum sept_result sept_accept(struct pages *p, uint64_t page, enum sept_level level)
{
	bool large = level == SEPT_2M;
	uint64_t count = large ? PAGES_LARGE : 1;

	if (!pages_touch(p, page, level != SEPT_4K))
		return SEPT_FAULT;
	if (level == SEPT_1G || ((p->page[page] & PG_LARGE) != 0) != large)
		return SEPT_SIZE_MISMATCH;
	if ((p->page[page] & PG_ACCEPTED) != 0)
		return SEPT_ALREADY;
	for (uint64_t i = page; i < page + count; i++)
		p->page[i] |= PG_ACCEPTED;
	return SEPT_ACCEPTED;
}
