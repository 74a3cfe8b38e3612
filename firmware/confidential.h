/* Ring 0: what main.c and tpm.c add to their order in the images of confidential guests: snp.c in
 * the one, tdx.c in the other. Every doubt stops. */
#ifndef PAVISE_FIRMWARE_CONFIDENTIAL_H
#define PAVISE_FIRMWARE_CONFIDENTIAL_H

#include "firmware/layout.h"

/* Takes all RAM of a checked boot block but [FW_STAGING, staging_end), which is still shared. */
void cc_accept_ram(const struct fw_boot_block *b, uint64_t staging_end);
/* Takes that rest too; nothing shared is read any more. */
void cc_accept_staging(uint64_t staging_end);
/* Announces the hand-over; the host is not spoken to after it. */
void cc_close(void);

/* A device is the host's: every access to its registers is a call to it. */
uint32_t cc_mmio_read(uint64_t gpa);
void cc_mmio_write(uint64_t gpa, uint32_t value);

#endif
