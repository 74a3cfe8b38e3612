/* The life of a built machine: seal, run, end. */
#ifndef PAVISE_VMM_RUN_H
#define PAVISE_VMM_RUN_H

#include "common/err.h"

struct vm;

/* Speaks with the launcher over `control` (common/record.h): READY, waits for SEAL, seals every
 * thread, SEALED, waits for GO, runs the guest until it or the launcher ends it, EXIT.
 * Returns 0 when the guest powered off or was stopped, -EX_GUEST, -EX_FIRMWARE, -EX_HOST for its
 * other ends, and -EX_INTERNAL or -EX_HOST when it never ran. */
int run_machine(struct vm *vm, int control, struct err *e);

#endif
