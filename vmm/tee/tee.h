/* How a launch plan becomes a guest, per kind of guest. Each backend executes the plan blindly:
 * what it loads was decided and measured elsewhere. */
#ifndef PAVISE_VMM_TEE_TEE_H
#define PAVISE_VMM_TEE_TEE_H

#include "common/err.h"
#include "common/plan.h"

#include <stdbool.h>

struct config;
struct fw_boot_block;
struct vcpu;
struct vm;
union kvm_cpuid_table;

struct tee_ops {
	const char *name;
	/* The host sees neither registers nor private memory: no register dumps, another system
	 * call filter, devices reach shared memory only. */
	bool confidential;
	/* Registers and MSRs of a new vCPU are the hardware's: nobody can set them. */
	bool owns_start_state;
	/* Makes vm->vm_fd with irqchip and RAM slots; vm->memory is mapped. The plan fits the
	 * machine (tee_check_plan). */
	int (*create_vm)(struct vm *vm, const struct plan *p, const struct config *c,
			 struct err *e);
	/* Before a vCPU gets its CPUID table: changes it. NULL: as it is. */
	int (*adjust_cpuid)(struct vm *vm, union kvm_cpuid_table *t, struct err *e);
	/* Loads every region in plan order, `block` where the plan has its boot block, and sets the
	 * first processor's start state. The VM has its memory and all its vCPUs; none has run. */
	int (*load)(struct vm *vm, const struct plan *p, const struct fw_boot_block *block,
		    struct err *e);
	/* An exit of this kind of guest alone (rc of KVM_RUN: 0 or a negative errno): true when it
	 * was handled. NULL: there are none. */
	bool (*exit)(struct vcpu *v, int rc);
	/* The main thread waits for this descriptor (-1: not now) and calls wake when it is
	 * readable. NULL: there is none. */
	int (*wait_fd)(struct vm *vm);
	void (*wake)(struct vm *vm);
};

/* The backend for that kind of guest, or NULL when this VMM has none. */
const struct tee_ops *tee_find(enum plan_tee tee);

/* Only the arguments of that kind of guest were given: -EX_USAGE_ERROR. */
int tee_check_config(enum plan_tee tee, const struct config *c, struct err *e);

/* The rules of every kind: RAM and processors within the plan's limits, every region inside RAM
 * that the boot block offers, but for a trust domain's reset page. -EX_USAGE_ERROR for the limits,
 * -EX_MALFORMED for regions. */
int tee_check_plan(const struct vm *vm, const struct plan *p, const struct fw_boot_block *block,
		   struct err *e);

extern const struct tee_ops tee_plain, tee_snp, tee_tdx;

#endif
