/* TDX, ring 0: what main.c adds to its order in the TDX image alone, beside confidential.h. Every
 * doubt stops. */
#ifndef PAVISE_FIRMWARE_TDX_H
#define PAVISE_FIRMWARE_TDX_H

#include "firmware/layout.h"
#include "firmware/tdx_ops.h"

/* This is the trust domain the image was made for, and nobody was at the wakeup mailbox. */
void tdx_open(void);
/* The host chooses APIC ids, the module the numbers that waiting processors know: they must agree,
 * or the mailbox wakes another processor than Linux means. *b is checked. */
void tdx_check_cpus(const struct fw_boot_block *b);
void tdx_extend(unsigned rtmr, const uint8_t digest[48]);

/* tdx_insn.S: RAX of a TDCALL with RAX = leaf, the other registers from and to *r. */
uint64_t tdx_call(uint64_t leaf, struct tdx_regs *r);

#endif
