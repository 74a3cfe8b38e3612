/* The guest's memory slots. Every page of RAM may be reached by two guest-physical addresses, each
 * on a backing of its own: GPA (shared) and GPA with the C-bit (private). A slot exists exactly
 * where the RMP lets the guest through, so that every other access leaves the guest and is
 * judged (exits.c). */
#ifndef PAVISE_MODEL_ALIAS_H
#define PAVISE_MODEL_ALIAS_H

#include "common/err.h"
#include "firmware/layout.h"
#include "model/rmp.h"

#include <stdint.h>

#define MODEL_C_BIT (1ull << SNP_C_BIT)
#define ALIAS_SLOTS_MAX 32000u /* KVM has 32764 */

struct alias_slot {
	uint64_t gpa, size; /* bytes; gpa with the C-bit when private */
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

/* One region of RAM with its two backings. */
struct alias_region {
	uint64_t gpa;     /* without the C-bit */
	uint64_t shared;  /* host addresses of the first byte */
	uint64_t private;
	struct rmp *rmp;
};

/* Makes the slots of pages [first, first + count) what the RMP says. */
int alias_sync(struct alias *a, const struct alias_region *r, uint64_t first, uint64_t count,
	       struct err *e);

#endif
