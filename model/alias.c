#include "model/alias.h"

#include <string.h>

#define MERGE 0x200000ull

/* The first slot that ends above gpa. */
static unsigned find(const struct alias *a, uint64_t gpa)
{
	unsigned low = 0, high = a->count;

	while (low < high) {
		unsigned middle = low + (high - low) / 2;

		if (a->slot[middle].gpa + a->slot[middle].size <= gpa)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int insert(struct alias *a, unsigned at, struct alias_slot s, struct err *e)
{
	int rc;

	if (a->count == ALIAS_SLOTS_MAX)
		return err_set(e, EX_HOST, "alias: more than %u memory slots: the guest "
			       "validates its memory in too small pieces", ALIAS_SLOTS_MAX);
	s.id = a->free_count > 0 ? a->free_id[a->free_count - 1] : a->next_id;
	rc = a->set(a->ctx, s.id, s.gpa, s.size, s.host, e);
	if (rc < 0)
		return rc;
	if (a->free_count > 0)
		a->free_count--;
	else
		a->next_id++;
	memmove(&a->slot[at + 1], &a->slot[at], (a->count - at) * sizeof(a->slot[0]));
	a->slot[at] = s;
	a->count++;
	return 0;
}

static int drop(struct alias *a, unsigned at, struct err *e)
{
	const struct alias_slot s = a->slot[at];
	int rc = a->set(a->ctx, s.id, s.gpa, 0, s.host, e);

	if (rc < 0)
		return rc;
	a->free_id[a->free_count++] = s.id;
	a->count--;
	memmove(&a->slot[at], &a->slot[at + 1], (a->count - at) * sizeof(a->slot[0]));
	return 0;
}

static bool joins(const struct alias_slot *low, const struct alias_slot *high)
{
	return low->gpa + low->size == high->gpa && low->host + low->size == high->host;
}

/* A guest that validates 4 KiB at a time would use up KVM's slots: whatever completes 2 MiB is made
 * one slot with what lies below it there. `at` is the slot just made. */
static int merge(struct alias *a, unsigned at, struct err *e)
{
	uint64_t end = a->slot[at].gpa + a->slot[at].size, base = end - MERGE;
	unsigned first = at;
	struct alias_slot whole;
	int rc = 0;

	if (end % MERGE != 0)
		return 0;
	while (first > 0 && a->slot[first].gpa > base && joins(&a->slot[first - 1], &a->slot[first]))
		first--;
	if (first == at || a->slot[first].gpa != base)
		return 0;
	whole = (struct alias_slot){ base, MERGE, a->slot[first].host, 0 };
	for (unsigned i = first; rc == 0 && i <= at; i++)
		rc = drop(a, first, e);
	return rc < 0 ? rc : insert(a, first, whole, e);
}

int alias_map(struct alias *a, uint64_t gpa, uint64_t size, uint64_t host, struct err *e)
{
	const struct alias_slot s = { .gpa = gpa, .size = size, .host = host };
	unsigned at = find(a, gpa);
	int rc;

	if (at < a->count && a->slot[at].gpa < gpa + size)
		return err_set(e, EX_INTERNAL, "alias: %#llx is mapped already",
			       (unsigned long long)gpa);
	rc = insert(a, at, s, e);
	return rc < 0 ? rc : merge(a, at, e);
}

/* KVM changes the size of no slot: the whole is removed, what is left of it made again. */
static int cut(struct alias *a, unsigned at, uint64_t gpa, uint64_t end, struct err *e)
{
	const struct alias_slot s = a->slot[at];
	uint64_t s_end = s.gpa + s.size;
	int rc = drop(a, at, e);

	if (rc == 0 && s.gpa < gpa)
		rc = insert(a, at++, (struct alias_slot){ s.gpa, gpa - s.gpa, s.host, 0 }, e);
	if (rc == 0 && s_end > end)
		rc = insert(a, at, (struct alias_slot){ end, s_end - end, s.host + (end - s.gpa),
							0 }, e);
	return rc;
}

int alias_unmap(struct alias *a, uint64_t gpa, uint64_t size, struct err *e)
{
	uint64_t end = gpa + size;

	for (;;) {
		unsigned at = find(a, gpa);
		int rc;

		if (at == a->count || a->slot[at].gpa >= end)
			return 0;
		rc = cut(a, at, gpa, end, e);
		if (rc < 0)
			return rc;
	}
}

/* How the record of a page speaks of one of the two views. */
struct side {
	uint8_t mapped; /* the bit of the book */
	bool (*usable)(uint8_t page);
	struct alias_view at;
};

static int sync_view(struct alias *a, struct pages *pages, const struct side *s, uint64_t first,
		     uint64_t count, struct err *e)
{
	uint64_t end = first + count, at = first;
	int rc = 0;

	while (rc == 0 && at < end) {
		bool mapped = (pages->page[at] & s->mapped) != 0;
		bool usable = s->usable(pages->page[at]);
		uint64_t from = at;

		while (at < end && ((pages->page[at] & s->mapped) != 0) == mapped &&
		       s->usable(pages->page[at]) == usable) {
			if (mapped != usable)
				pages->page[at] ^= s->mapped;
			at++;
		}
		if (usable && !mapped)
			rc = alias_map(a, s->at.gpa + from * PAGE_BYTES, (at - from) * PAGE_BYTES,
				       s->at.host + from * PAGE_BYTES, e);
		else if (mapped && !usable)
			rc = alias_unmap(a, s->at.gpa + from * PAGE_BYTES,
					 (at - from) * PAGE_BYTES, e);
	}
	return rc;
}

int alias_sync(struct alias *a, const struct alias_region *r, uint64_t first, uint64_t count,
	       struct err *e)
{
	const struct side shared = { PG_MAPPED_SHARED, page_shared_usable, r->shared };
	const struct side private = { PG_MAPPED_PRIVATE, page_private_usable, r->private };
	int rc = sync_view(a, r->pages, &shared, first, count, e);

	return rc < 0 ? rc : sync_view(a, r->pages, &private, first, count, e);
}
