/* The launch of a trust domain: INIT_VM, vCPUs, pages in plan order, FINALIZE_VM. */
#ifndef PAVISE_VMM_TEE_TDX_LAUNCH_H
#define PAVISE_VMM_TEE_TDX_LAUNCH_H

#include "common/err.h"
#include "common/plan.h"

struct fw_boot_block;
struct vm;

/* KVM_TDX_INIT_VM with vm->tdx.init; waits a moment for random numbers. 0, -EX_HOST. */
int tdx_launch_begin(struct vm *vm, struct err *e);

/* Executes the plan; all vCPUs exist and have their CPUID. The order of its regions is that of
 * MRTD. Whatever fails, the VM cannot be launched again: -EX_HOST, -EX_MALFORMED. */
int tdx_launch(struct vm *vm, const struct plan *p, const struct fw_boot_block *block,
	       struct err *e);

#endif
