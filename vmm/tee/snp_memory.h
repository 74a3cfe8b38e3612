/* The private and the shared side of an SEV-SNP guest's RAM. */
#ifndef PAVISE_VMM_TEE_SNP_MEMORY_H
#define PAVISE_VMM_TEE_SNP_MEMORY_H

#include "common/err.h"
#include "common/plan.h"

#include <stdbool.h>
#include <stdint.h>

struct snp;

/* Work between two looks at whether the VM is to stop: 2 MiB. */
#define SNP_CHUNK_PAGES 512ull

/* Makes the guest_memfd and a slot over each region of RAM, all of it private. s->vm_fd and
 * s->memory are set. 0, -EX_HOST. */
int snp_memory_init(struct snp *s, struct err *e);

/* Makes the boot block's page and the 2 MiB units of staged blobs shared: the host writes them.
 * -EX_MALFORMED when such a unit also holds a page that must be private. */
int snp_memory_share_staging(struct snp *s, const struct plan *p, struct err *e);

/* Is the page at gpa shared? gpa must lie in RAM. */
bool snp_page_is_shared(struct snp *s, uint64_t gpa);

/* Makes [gpa, gpa + pages * 4096) private or shared and frees the other side's memory: its contents
 * are lost, on both sides. At most SNP_CHUNK_PAGES, inside one region of RAM. 0 or a negative
 * errno, then nothing has changed. */
int snp_convert(struct snp *s, uint64_t gpa, uint64_t pages, bool to_private);

#endif
