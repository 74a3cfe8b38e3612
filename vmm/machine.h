/* Puts the machine together: RAM, KVM, platform devices, PCI devices, and the plan's contents. */
#ifndef PAVISE_VMM_MACHINE_H
#define PAVISE_VMM_MACHINE_H

#include "common/err.h"

struct config;
struct vm;

/* Makes everything that exists before sealing: on return the guest could run. vm must be zero.
 * 0 or a negative exit class. On failure the caller ends the process, which frees everything. */
int machine_build(struct vm *vm, const struct config *c, struct err *e);

#endif
