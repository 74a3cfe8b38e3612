/* What a trust domain does at run time: change pages between private and shared, ask for quotes,
 * and end itself. */
#ifndef PAVISE_VMM_TEE_TDX_EXITS_H
#define PAVISE_VMM_TEE_TDX_EXITS_H

#include <stdbool.h>

struct vcpu;

/* Handles HYPERCALL, MEMORY_FAULT, TDX, SYSTEM_EVENT, FAIL_ENTRY and INTERNAL_ERROR exits; false:
 * it was another. */
bool tdx_exit(struct vcpu *v, int rc);

#endif
