/* The private and the shared side of a confidential guest's RAM, whatever its kind.
 *
 * Every page of RAM has two backings: the guest_memfd holds what is private, out of our reach; the
 * RAM memfd holds what is shared, and devices see only that. Which one a page uses is its KVM
 * attribute. KVM does not tell attributes, so we keep our own book of them. */
#ifndef PAVISE_VMM_TEE_PRIVATE_MEMORY_H
#define PAVISE_VMM_TEE_PRIVATE_MEMORY_H

#include "common/err.h"
#include "common/plan.h"
#include "vmm/memory.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define PRIVATE_PAGE 4096ull

/* Work between two looks at whether the VM is to stop: 2 MiB. */
#define PRIVATE_CHUNK_PAGES 512ull

struct private_memory {
	int vm_fd;
	int gmem_fd;            /* private backing; offsets as in the RAM memfd */
	uint32_t slots;         /* memory slots in use: those of RAM come first */
	const struct memory *memory;
	pthread_mutex_t lock;   /* attribute, discard and book of a chunk change together */
	atomic_ullong refusals; /* of conversions the guest asked for */
	uint8_t *shared;        /* the book: a bit a page of the RAM memfd, one when shared */
};

/* Does KVM have what every confidential guest needs? 0, -EX_HOST with what is missing. */
int private_check_host(int kvm_fd, struct err *e);

/* Of a new VM, before its vCPUs: exits for conversions, split irqchip, x2APIC ids. 0, -EX_HOST. */
int private_enable(int vm_fd, struct err *e);

/* Makes the guest_memfd and a slot over each region of RAM, all of it private. 0, -EX_HOST,
 * -EX_INTERNAL. */
int private_memory_init(struct private_memory *m, int vm_fd, const struct memory *memory,
			struct err *e);

/* Memory outside of RAM that is private for ever: a slot with a guest_memfd of its own. size: a
 * multiple of PRIVATE_PAGE; host: the page-aligned address of its shared side, which nothing ever
 * uses, and which has to live as long as the VM. 0, -EX_HOST. */
int private_memory_add(struct private_memory *m, uint64_t gpa, uint64_t size, uint64_t host,
		       struct err *e);

/* Makes the boot block's page and the 2 MiB units of staged blobs shared: the host writes them.
 * -EX_MALFORMED when such a unit also holds a page that must be private. */
int private_memory_share_staging(struct private_memory *m, const struct plan *p, struct err *e);

/* Is the page at gpa shared? False outside of RAM. */
bool private_memory_is_shared(struct private_memory *m, uint64_t gpa);

/* Is all of [gpa, gpa + size) RAM inside one region, and shared? False for size 0. The work grows
 * with size: bound it before. */
bool private_memory_all_shared(struct private_memory *m, uint64_t gpa, uint64_t size);

/* Makes [gpa, gpa + pages * 4096) private or shared and frees the other side's memory: its contents
 * are lost, on both sides. At most PRIVATE_CHUNK_PAGES, inside one region of RAM. 0 or a negative
 * errno, then nothing has changed. */
int private_memory_convert(struct private_memory *m, uint64_t gpa, uint64_t pages, bool to_private);

#endif
