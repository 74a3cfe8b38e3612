/* What the firmware demands of a CPUID page (56860 §7.1, "CPUID Reporting"; Genoa's rules). */
#ifndef PAVISE_MODEL_PSP_CPUID_RULES_H
#define PAVISE_MODEL_PSP_CPUID_RULES_H

#include <stdbool.h>
#include <stdint.h>

#define CPUID_ENTRY_MAX 64u
#define CPUID_C_BIT 51u /* 0x33: what this processor says about itself in 8000_001F.EBX */

enum cpuid_verdict {
	CPUID_GOOD,
	CPUID_REFUSED,   /* header or reserved field of an entry: no correction helps */
	CPUID_CORRECTED, /* at least one register was replaced by an allowed value */
};

/* Checks and corrects a page of 4096 bytes, all of its entries at once. fms: CPUID leaf 1 EAX of the
 * processor; all other limits are the same on every Genoa. */
enum cpuid_verdict cpuid_check(uint8_t page[4096], uint32_t fms);

/* Family, model and stepping of the processor this runs on. */
uint32_t cpuid_fms_of_this_machine(void);

#endif
