/* What the launches of all confidential guests have in common. */
#ifndef PAVISE_VMM_TEE_LAUNCH_H
#define PAVISE_VMM_TEE_LAUNCH_H

#include "common/err.h"
#include "common/plan.h"

struct fw_boot_block;
struct vm;

typedef int (*launch_fn)(struct vm *vm, const struct plan *p, const struct fw_boot_block *block,
			 struct err *e);

/* Runs `launch` with signals kept off: one that comes while the kernel adds pages ends that system
 * call half way, and some kernels say so by EIO only. Returns what it returned, or -EX_INTERNAL. */
int launch_undisturbed(launch_fn launch, struct vm *vm, const struct plan *p,
		       const struct fw_boot_block *block, struct err *e);

/* Writes a region that is not launched, the boot block or a blob, into shared memory.
 * -EX_MALFORMED outside of RAM. */
int launch_stage(struct vm *vm, const struct plan_region *r, const struct fw_boot_block *block,
		 struct err *e);

#endif
