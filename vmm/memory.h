/* Guest RAM: one shared memfd, made, labelled and sealed by the launcher, mapped once.
 * Its memfd offset is the guest-physical address below the MMIO hole, and 1 GiB less above
 * 4 GiB. The map is kept as a number, not as a pointer, so that guest memory can only be
 * reached through the bounded copies below: every value read is a private copy. */
#ifndef PAVISE_VMM_MEMORY_H
#define PAVISE_VMM_MEMORY_H

#include "common/err.h"

#include <stddef.h>
#include <stdint.h>

#define MEMORY_REGION_MAX 2

/* One contiguous piece of RAM, also one KVM memory slot and one SET_MEM_TABLE entry. */
struct memory_region {
	uint64_t gpa;        /* guest-physical base, bytes */
	uint64_t size;       /* bytes, a multiple of 2 MiB */
	uint64_t offset;     /* of its first byte in the memfd */
	uint64_t host;       /* virtual address in this process: for KVM and SET_MEM_TABLE only */
};

struct memory {
	int fd;              /* the RAM memfd, borrowed */
	uint64_t size;       /* bytes of RAM altogether */
	uint64_t map;        /* virtual address of the whole memfd */
	unsigned count;      /* regions in use: 1 or 2 */
	struct memory_region region[MEMORY_REGION_MAX];
};

/* Checks that fd is a memfd of exactly size bytes that can neither shrink nor grow, and maps it.
 * size must be a positive multiple of 2 MiB above FW_RESERVED_END (firmware/layout.h).
 * -EX_USAGE_ERROR for the size, -EX_HOST for the descriptor. */
int memory_map(struct memory *m, int fd, uint64_t size, struct err *e);

/* Copies n bytes between guest RAM at gpa and the caller's buffer. The range must lie inside one
 * region: else nothing is copied and the answer is -EX_GUEST. The guest may change the bytes
 * meanwhile; what is in the buffer afterwards is what counts. */
int gpa_read(const struct memory *m, uint64_t gpa, void *out, size_t n);
int gpa_write(const struct memory *m, uint64_t gpa, const void *data, size_t n);

/* Stores an aligned word in one piece, visible only after everything written before it: a guest
 * that sees it also sees the rest. */
int gpa_publish(const struct memory *m, uint64_t gpa, uint64_t value);

/* 1 when [gpa, gpa + n) lies inside one region of RAM. */
int gpa_is_ram(const struct memory *m, uint64_t gpa, uint64_t n);

/* Frees [offset, offset + n) of the memfd, for every process that maps it: it reads as zeros then.
 * 0, -EX_INTERNAL outside of RAM, -EX_HOST. */
int memory_discard(const struct memory *m, uint64_t offset, uint64_t n);

#endif
