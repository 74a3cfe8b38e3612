/* The guest memory a front end gave us (VHOST_USER_SET_MEM_TABLE), reached only by copying.
 * The host address of a region is an integer on purpose: nothing outside guest_memory.c can
 * dereference it. The guest may write any byte at any time, so a caller copies a structure in
 * once and then checks its own copy; no function here reads a byte twice for one answer.
 *
 * A range must lie inside one region: buffers across two adjacent regions are refused. */
#ifndef PAVISE_DEVICES_GUEST_MEMORY_H
#define PAVISE_DEVICES_GUEST_MEMORY_H

#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GUEST_REGION_MAX 8 /* vhost-user: "memory regions description" without extensions */

struct guest_region {
	uint64_t gpa;       /* guest-physical address of its first byte */
	uint64_t size;      /* bytes, at least 1 */
	uint64_t user_addr; /* the front end's name for the first byte; ring addresses use it */
	uintptr_t host;     /* where it is mapped here: see above */
};

struct guest_memory {
	unsigned count;
	struct guest_region region[GUEST_REGION_MAX];
};

/* Maps [offset, offset + size) of the memfd, shared, between two inaccessible guard pages, and
 * adds it to the table. The file must be sealed against shrinking (a truncated file would end
 * this process by SIGBUS) and be large enough; offset is a multiple of the page size; regions
 * overlap neither in gpa nor in user_addr. fd stays the caller's. -EX_MALFORMED or -EX_HOST. */
int guest_memory_map(struct guest_memory *m, uint64_t gpa, uint64_t size, uint64_t user_addr,
		     int fd, uint64_t offset, struct err *e);

/* Unmaps everything; the table is empty afterwards. */
void guest_memory_unmap(struct guest_memory *m);

/* Does [gpa, gpa + size) lie inside one region? */
bool guest_memory_has(const struct guest_memory *m, uint64_t gpa, uint64_t size);

/* The guest-physical address of the front end's [user_addr, user_addr + size). */
bool guest_memory_translate(const struct guest_memory *m, uint64_t user_addr, uint64_t size,
			    uint64_t *gpa);

/* Copy size bytes in or out. False, and nothing copied, when the range leaves the memory. */
bool guest_copy_in(const struct guest_memory *m, void *out, uint64_t gpa, size_t size);
bool guest_copy_out(const struct guest_memory *m, uint64_t gpa, const void *data, size_t size);

/* One 16-bit access (virtio 1.2 §2.7.13: the ring indices), gpa even. Load-acquire: what the
 * driver wrote before its index is seen after it. Store-release: the reverse. */
bool guest_load_le16(const struct guest_memory *m, uint64_t gpa, uint16_t *out);
bool guest_store_le16(const struct guest_memory *m, uint64_t gpa, uint16_t value);

#endif
