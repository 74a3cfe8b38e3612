/* The TDX part of the recording KVM (fake_sev.h): every call of vmm/kvm/tdx.h is a line of text and
 * fails where a test says so. */
#ifndef PAVISE_TESTS_FAKE_TDX_KVM_H
#define PAVISE_TESTS_FAKE_TDX_KVM_H

#include "tests/unit/fake_sev.h"
#include "vmm/kvm/tdx.h"

#define FAKE_TDX_VM   60
#define FAKE_TDX_VCPU 270 /* and up */
#define FAKE_PAGES_MAX 512

/* A page as INIT_MEM_REGION got it. */
struct fake_page {
	uint64_t gpa;
	uint64_t source; /* its address in our memory, which may be gone now */
	bool measured;
	uint8_t bytes[4096];
};

struct fake_tdx {
	uint64_t attributes, xfam, user_calls;
	uint32_t leaves;            /* CPUID entries with bits that may be chosen: first 1.0, 7.0,
				     * 80000008.0, 4.0, A.0 */
	struct kvm_cpuid_entry2 mask[UAPI_TDX_CPUID_MAX];
	uint64_t tsc_khz;
	struct tdx_init_vm init;    /* the last one */
	unsigned pages;
	struct fake_page page[FAKE_PAGES_MAX];
	bool signals_seen;          /* INIT_MEM_REGION ran with a signal not blocked */
	struct kvm_msi_route route; /* the last one */
};

extern struct fake_tdx fake_tdx;
extern union kvm_cpuid_table fake_supported; /* what KVM_GET_SUPPORTED_CPUID answers */
extern union kvm_cpuid_table fake_shown;     /* what KVM_TDX_GET_CPUID does; nent 0: INIT_VM's */
extern union kvm_cpuid_table fake_set;       /* the last of KVM_SET_CPUID2 */

/* A host with TDX; resets fake_sev's as well. */
void fake_tdx_reset(void);

#endif
