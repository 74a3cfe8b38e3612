/* The CPUID page of an SEV-SNP guest: values that the PSP has compared with the processor's
 * (SEV-SNP firmware ABI, PAGE_TYPE_CPUID). The instruction itself is never executed: the host
 * would answer it. */
#ifndef PAVISE_FIRMWARE_CPUID_PAGE_H
#define PAVISE_FIRMWARE_CPUID_PAGE_H

#include "firmware/layout.h"
#include "firmware/stop.h"

#include <stdbool.h>
#include <stdint.h>

#define FW_CPUID_ENTRIES 64u

struct fw_cpuid_entry {
	uint32_t eax_in, ecx_in;
	uint64_t xcr0_in, xss_in;
	uint32_t eax, ebx, ecx, edx;
	uint64_t reserved;
};
_Static_assert(sizeof(struct fw_cpuid_entry) == 48, "CPUID entry");

struct fw_cpuid_page {
	uint32_t count;
	uint32_t reserved0;
	uint64_t reserved1;
	struct fw_cpuid_entry entry[FW_CPUID_ENTRIES];
	uint8_t rest[FW_PAGE - 16 - FW_CPUID_ENTRIES * 48];
};
_Static_assert(sizeof(struct fw_cpuid_page) == FW_PAGE, "CPUID page");

struct fw_cpuid_facts {
	uint32_t phys_bits;       /* MAXPHYADDR; 36 when the page does not say */
	uint32_t coherency_sfw_no; /* 1: validated pages need no touch (accept.h) */
	uint32_t sha;             /* 1: the processor has SHA instructions */
};

/* 1 to 64 entries, reserved fields zero, no leaf we use twice; leaf 8000_001F is there, says SEV
 * and SEV-SNP and names bit c_bit. STOP_HANDED_OVER (0) with *out filled, STOP_SNP_CPUID or
 * STOP_SNP_C_BIT. */
enum fw_stop fw_cpuid_check(const struct fw_cpuid_page *page, uint32_t c_bit,
			    struct fw_cpuid_facts *out);

#endif
