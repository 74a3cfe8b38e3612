/* The CPUID page of an SEV-SNP guest (SEV-SNP firmware ABI, "CPUID page"): the only CPUID values
 * the guest believes, because the security processor has compared them with the hardware's. */
#ifndef PAVISE_VMM_TEE_SNP_CPUID_H
#define PAVISE_VMM_TEE_SNP_CPUID_H

#include "common/err.h"

#include <stddef.h>
#include <stdint.h>

#define SNP_CPUID_ENTRIES_MAX 64u

struct snp_cpuid_entry {
	uint32_t leaf, subleaf;
	uint64_t xcr0, xss;
	uint32_t eax, ebx, ecx, edx;
	uint64_t reserved;
};

struct snp_cpuid_page {
	uint32_t count;
	uint32_t reserved1;
	uint64_t reserved2;
	struct snp_cpuid_entry entry[SNP_CPUID_ENTRIES_MAX];
	uint8_t unused[4096 - 16 - 48 * SNP_CPUID_ENTRIES_MAX];
};
_Static_assert(sizeof(struct snp_cpuid_page) == 4096, "CPUID page");

union kvm_cpuid_table;

/* What an SNP guest has to see in leaf 8000_001F: SEV, SEV-ES and SNP active, its C-bit. The table
 * must name the same C-bit: -EX_HOST for a host that has none or another. */
int snp_cpuid_mark(union kvm_cpuid_table *t, unsigned c_bit, struct err *e);

/* Makes the page of a vCPU's table: without what the firmware of the security processor refuses
 * or hardware cannot give, without empty leaves. -EX_HOST when more than 64 entries are left. */
int snp_cpuid_fill(const union kvm_cpuid_table *t, struct snp_cpuid_page *out, struct err *e);

/* One line about how field `field` (below SNP_CPUID_FIELDS) of entry `index` of `after` differs
 * from `before`; 0 when it does not. */
#define SNP_CPUID_FIELDS 9u
int snp_cpuid_difference(const struct snp_cpuid_page *before, const struct snp_cpuid_page *after,
			 unsigned index, unsigned field, char *text, size_t size);

#endif
