/* Why a step of a trust domain's launch failed, and what to do about it: one table from (step,
 * errno, completion status of the TDX module) to a sentence. */
#ifndef PAVISE_VMM_TEE_TDX_ERRORS_H
#define PAVISE_VMM_TEE_TDX_ERRORS_H

#include "common/err.h"

#include <stdint.h>

enum tdx_step {
	TDX_CREATE_VM,       /* KVM_CREATE_VM, type 5 */
	TDX_CAPABILITIES,    /* KVM_TDX_CAPABILITIES */
	TDX_BUS_CYCLES,      /* KVM_ENABLE_CAP, KVM_CAP_X86_APIC_BUS_CYCLES_NS */
	TDX_TSC,             /* KVM_GET_TSC_KHZ, KVM_SET_TSC_KHZ */
	TDX_INIT_VM,
	TDX_INIT_VCPU,
	TDX_GET_CPUID,
	TDX_INIT_MEM_REGION,
	TDX_FINALIZE_VM,
	TDX_RUN,             /* KVM_RUN */
	TDX_STEPS,
};

/* rc: the negative errno of that step; hw: the module's completion status, 0 when it was not
 * asked. Fills *e with step, cause, next step and both values, and returns -EX_HOST. */
int tdx_error(enum tdx_step step, int rc, uint64_t hw, struct err *e);

/* The module's name of a completion status, whatever its operand; or "unknown". */
const char *tdx_status_name(uint64_t hw);

#endif
