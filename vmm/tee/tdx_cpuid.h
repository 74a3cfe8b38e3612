/* CPUID of a trust domain: the TDX module decides every value but for the bits it lets a VMM
 * choose, which KVM_TDX_CAPABILITIES names leaf by leaf. */
#ifndef PAVISE_VMM_TEE_TDX_CPUID_H
#define PAVISE_VMM_TEE_TDX_CPUID_H

#include "common/err.h"

#include <stddef.h>
#include <stdint.h>

struct tdx_capabilities;
struct tdx_init_vm;
union kvm_cpuid_table;

/* Fills init's table: what KVM supports of the bits that may be chosen and nothing else, but for
 * what KVM refuses (TSX, WAITPKG), with guest addresses of `gpaw` bits. -EX_HOST when the
 * capabilities lack the leaf of address widths or are too many. */
int tdx_cpuid_choose(const struct tdx_capabilities *caps, const union kvm_cpuid_table *supported,
		     unsigned gpaw, struct tdx_init_vm *init, struct err *e);

/* What KVM itself has to believe of a vCPU (KVM_SET_CPUID2): x2APIC, and addresses no narrower than
 * the guest's, else it refuses each address with the shared bit. -EX_HOST without these leaves. */
int tdx_cpuid_mark(union kvm_cpuid_table *t, unsigned gpaw, struct err *e);

/* One line about how register `reg` (0..3: EAX to EDX) of entry `index` of init's table differs in
 * what the module shows the guest; 0 when it does not, or there is no such entry. */
int tdx_cpuid_difference(const struct tdx_init_vm *init, const struct tdx_capabilities *caps,
			 const union kvm_cpuid_table *shown, unsigned index, unsigned reg,
			 char *text, size_t size);

/* The guest's processors have no addresses of `gpaw` bits, or no x2APIC: -EX_HOST. */
int tdx_cpuid_check(const union kvm_cpuid_table *shown, unsigned gpaw, struct err *e);

#endif
