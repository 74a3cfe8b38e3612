/* The guest's memory slots. Every page of RAM may be reached by two guest-physical addresses, each
 * on a backing of its own, which differ in one bit: the C-bit of an SEV-SNP guest, set for private
 * memory, or the S-bit of a trust domain, set for shared memory. A slot exists exactly where the
 * page record lets the guest through, so that every other access leaves the guest and is judged
 * (exits.c). */
#ifndef PAVISE_MODEL_ALIAS_H
#define PAVISE_MODEL_ALIAS_H

#include "common/err.h"
#include "model/pages.h"

#include <stdint.h>

#define ALIAS_SLOTS_MAX 32000u /* KVM has 32764 */

struct alias_slot {
	uint64_t gpa, size; /* bytes; gpa with the bit of its view */
	uint64_t host;      /* address of this process */
	uint32_t id;
};

struct alias {
	/* Makes a slot, or removes it with size 0. 0 or a negative exit class. */
	int (*set)(void *ctx, uint32_t id, uint64_t gpa, uint64_t size, uint64_t host,
		   struct err *e);
	void *ctx;
	unsigned count;                          /* slots in use, sorted by gpa */
	struct alias_slot slot[ALIAS_SLOTS_MAX];
	unsigned free_count, next_id;            /* numbers to use again, then new ones */
	uint32_t free_id[ALIAS_SLOTS_MAX];
};

/* Maps [gpa, gpa + size), of which nothing may be mapped. */
int alias_map(struct alias *a, uint64_t gpa, uint64_t size, uint64_t host, struct err *e);
/* Unmaps what is mapped of it; slots that reach beyond are cut. */
int alias_unmap(struct alias *a, uint64_t gpa, uint64_t size, struct err *e);

/* One view of a region of RAM: where the guest and where this process see its first byte. */
struct alias_view {
	uint64_t gpa, host;
};

/* One region of RAM with its two backings. */
struct alias_region {
	struct alias_view shared, private;
	struct pages *pages;
};

/* Makes the slots of pages [first, first + count) what the page record says. */
int alias_sync(struct alias *a, const struct alias_region *r, uint64_t first, uint64_t count,
	       struct err *e);

#endif
