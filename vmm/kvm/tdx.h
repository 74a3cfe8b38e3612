/* KVM's TDX ioctls (Documentation/virt/kvm/x86/intel-tdx.rst), one thin function each: with kvm.h,
 * private.h and sev.h the seam that the platform model replaces at link time. Layouts:
 * common/kvm_uapi.h. A function returns 0 or a negative errno, for vmm/tee/tdx_errors.c to make a
 * sentence of; *hw is the TDX module's completion status, 0 when it was not asked. */
#ifndef PAVISE_VMM_KVM_TDX_H
#define PAVISE_VMM_KVM_TDX_H

#include "common/kvm_uapi.h"
#include "vmm/kvm/kvm.h"

#include <stdint.h>

/* A structure with the CPUID table that follows it. */
struct tdx_capabilities {
	struct uapi_tdx_capabilities head;
	struct kvm_cpuid_entry2 cpuid[UAPI_TDX_CPUID_MAX];
};
struct tdx_init_vm {
	struct uapi_tdx_init_vm head;
	struct kvm_cpuid_entry2 cpuid[UAPI_TDX_CPUID_MAX];
};

/* On /dev/kvm. */
int tdx_create_vm(int kvm_fd, int *vm_fd); /* VM type 5; caller owns *vm_fd */

/* On the VM, before sealing. */
int tdx_capabilities(int vm_fd, struct tdx_capabilities *c, uint64_t *hw); /* c->head.nent: room */
int tdx_get_tsc_khz(int vm_fd, uint64_t *khz); /* what its guest is to get: the host's */
int tdx_set_tsc_khz(int vm_fd, uint64_t khz);  /* a multiple of 25 MHz, before tdx_init_vm */
int tdx_init_vm(int vm_fd, struct tdx_init_vm *init, uint64_t *hw);
int tdx_finalize_vm(int vm_fd, uint64_t *hw);

/* On a vCPU, before sealing. */
int tdx_init_vcpu(int vcpu_fd, uint64_t rcx, uint64_t *hw);
/* *r advances by what was done, also when the answer is an error. */
int tdx_init_mem_region(int vcpu_fd, struct uapi_tdx_mem_region *r, int measure, uint64_t *hw);
/* What the module shows the guest; table->head.nent: room. */
int tdx_get_cpuid(int vcpu_fd, union kvm_cpuid_table *table, uint64_t *hw);

#endif
