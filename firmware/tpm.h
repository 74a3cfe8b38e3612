/* TPM 2.0 over the CRB interface, locality 0 (TCG PC Client PTP 1.05 §6.5), ring 0 only.
 * Every wait is bounded; every failure ends the boot with its stop code. */
#ifndef PAVISE_FIRMWARE_TPM_H
#define PAVISE_FIRMWARE_TPM_H

#include "firmware/sha2.h"

#include <stdint.h>

/* Finds the interface, takes locality 0, makes the TPM ready for commands. */
void tpm_open(void);
/* TPM2_PCR_Extend with both digests. */
void tpm_extend(uint32_t pcr, const struct fw_digests *digests);
/* Lets the TPM go idle and gives the locality back. */
void tpm_close(void);

#endif
