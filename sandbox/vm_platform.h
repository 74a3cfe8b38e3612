/* What stands below a confidential guest: the hardware's device, or the processes that simulate it,
 * and the way to the host's quote generation service. Of a plain guest: nothing. */
#ifndef PAVISE_SANDBOX_VM_PLATFORM_H
#define PAVISE_SANDBOX_VM_PLATFORM_H

#include "common/err.h"
#include "sandbox/order.h"
#include "sandbox/vm.h"

/* Opens devices, checks and copies what the caller gave. Nothing is started. */
int platform_open(struct vm *vm, struct err *e);

/* Labels the copies. */
int platform_label(struct vm *vm, struct err *e);

/* Starts the simulated platform and pavise-quote, as far as the VM has them. */
int platform_start(struct vm *vm, struct err *e);

/* The VMM's arguments for all that. */
void platform_args(struct vm *vm, struct order *o);

/* Closes the launcher's ends. Safe to call twice. */
void platform_close(struct vm *vm);

#endif
