/* The launch of an SEV-SNP guest: LAUNCH_START, pages in plan order, start state, LAUNCH_FINISH. */
#ifndef PAVISE_VMM_TEE_SNP_LAUNCH_H
#define PAVISE_VMM_TEE_SNP_LAUNCH_H

#include "common/err.h"
#include "common/plan.h"

struct fw_boot_block;
struct vm;

/* Executes the plan; all vCPUs exist and have their CPUID. The order of its regions is that of the
 * measurement. Whatever fails, the VM cannot be launched again: -EX_HOST, -EX_MALFORMED. */
int snp_launch(struct vm *vm, const struct plan *p, const struct fw_boot_block *block,
	       struct err *e);

#endif
