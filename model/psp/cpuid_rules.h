/* What the firmware demands of a CPUID page (56860 §7.1, "CPUID Reporting"; Genoa's rules). */
#ifndef PAVISE_MODEL_PSP_CPUID_RULES_H
#define PAVISE_MODEL_PSP_CPUID_RULES_H

#include <stdbool.h>
#include <stdint.h>

#define CPUID_ENTRY_MAX 64u
#define CPUID_C_BIT 51u /* 0x33: what this processor says about itself in 8000_001F.EBX */

/* The processor's own values: out is EAX, EBX, ECX, EDX. */
typedef void (*cpuid_source)(uint32_t leaf, uint32_t subleaf, uint32_t out[4]);

enum cpuid_verdict {
	CPUID_GOOD,
	CPUID_REFUSED,   /* header broken: the page stays as it is */
	CPUID_CORRECTED, /* at least one register was replaced by an allowed value */
};

/* Checks and corrects a page of 4096 bytes. */
enum cpuid_verdict cpuid_check(uint8_t page[4096], cpuid_source hardware);

/* The processor this runs on, with the leaves of memory encryption as a Genoa would have them. */
void cpuid_of_this_machine(uint32_t leaf, uint32_t subleaf, uint32_t out[4]);

#endif
