/* How a launch plan becomes a guest, per kind of guest. Each backend executes the plan blindly:
 * what it loads was decided and measured elsewhere. */
#ifndef PAVISE_VMM_TEE_TEE_H
#define PAVISE_VMM_TEE_TEE_H

#include "common/err.h"
#include "common/plan.h"

struct fw_boot_block;
struct vm;

struct tee_ops {
	const char *name;
	/* Loads every region in plan order, `block` where the plan has its boot block, and sets the
	 * first processor's start state. The VM has its memory and all its vCPUs; none has run. */
	int (*load)(struct vm *vm, const struct plan *p, const struct fw_boot_block *block,
		    struct err *e);
};

/* The backend for that kind of guest, or NULL when this VMM has none. */
const struct tee_ops *tee_find(enum plan_tee tee);

/* The rules of every kind: RAM and processors within the plan's limits, every region inside RAM
 * that the boot block offers. -EX_USAGE_ERROR for the limits, -EX_MALFORMED for regions. */
int tee_check_plan(const struct vm *vm, const struct plan *p, const struct fw_boot_block *block,
		   struct err *e);

extern const struct tee_ops tee_plain;

#endif
