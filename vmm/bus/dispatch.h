/* Who answers a port or MMIO access: a fixed table of disjoint ranges, filled before the VM is
 * sealed and only read afterwards. Nothing is allocated at run time. */
#ifndef PAVISE_VMM_BUS_DISPATCH_H
#define PAVISE_VMM_BUS_DISPATCH_H

#include "common/err.h"

#include <stdint.h>

#define DISPATCH_MAX 64 /* ranges in one address space */

/* Called with the big device lock held. offset is from the base of the range, size is 1, 2, 4 or
 * (MMIO only) 8 bytes, and the access lies wholly inside the range; it may be unaligned.
 * A read returns its value in the low bytes. Both must return in bounded time. */
typedef uint64_t (*dispatch_read_fn)(void *ctx, uint64_t offset, unsigned size);
typedef void (*dispatch_write_fn)(void *ctx, uint64_t offset, unsigned size, uint64_t value);

struct dispatch_range {
	uint64_t base, len;
	dispatch_read_fn read;
	dispatch_write_fn write;
	void *ctx;
};

struct dispatch {
	unsigned count;
	struct dispatch_range range[DISPATCH_MAX];
};

/* Adds [base, base + len) to one address space. -EX_INTERNAL when the table is full, the range is
 * empty, wraps, or overlaps one that is there: all are bugs of ours, no guest can cause them. */
int dispatch_add(struct dispatch *d, uint64_t base, uint64_t len, dispatch_read_fn read,
		 dispatch_write_fn write, void *ctx, struct err *e);

/* What the bus does when nobody answers, or when an access straddles the end of a range: reads
 * give all ones, writes vanish. size is 1, 2, 4 or 8. */
uint64_t dispatch_read(const struct dispatch *d, uint64_t address, unsigned size);
void dispatch_write(const struct dispatch *d, uint64_t address, unsigned size, uint64_t value);

struct vm;
/* The same for the two address spaces of a VM; before sealing only. */
int dispatch_add_pio(struct vm *vm, uint16_t base, uint16_t len, dispatch_read_fn read,
		     dispatch_write_fn write, void *ctx, struct err *e);
int dispatch_add_mmio(struct vm *vm, uint64_t base, uint64_t len, dispatch_read_fn read,
		      dispatch_write_fn write, void *ctx, struct err *e);

#endif
