/* SEV-SNP, ring 0: what main.c adds to its order in the SEV-SNP image alone, beside confidential.h.
 * Every doubt stops. */
#ifndef PAVISE_FIRMWARE_SNP_H
#define PAVISE_FIRMWARE_SNP_H

#include "firmware/layout.h"

#include <stdbool.h>
#include <stdint.h>

/* SEV_STATUS is exactly that of an SEV-SNP guest without further features, and this is VMPL0. */
void snp_check_processor(void);
/* After the CPUID page was checked. touch: see accept_init. */
void snp_open(bool touch);

/* snp_insn.S: one instruction each. Addresses are virtual. */
void snp_vmgexit(void);
uint64_t snp_pvalidate(uint64_t address, uint32_t size, uint32_t validate);
uint32_t snp_rmpadjust(uint64_t address, uint64_t size, uint64_t attributes);

#endif
