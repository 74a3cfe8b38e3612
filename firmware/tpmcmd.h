/* The one TPM command of the firmware, as bytes (TPM 2.0 Library part 3 §22.2). Pure. */
#ifndef PAVISE_FIRMWARE_TPMCMD_H
#define PAVISE_FIRMWARE_TPMCMD_H

#include "firmware/sha2.h"
#include "firmware/stop.h"

#include <stdint.h>

#define TPM_HEADER_SIZE     10u
#define TPM_EXTEND_SIZE     115u
#define TPM_EXTEND_RESPONSE 19u

/* TPM2_PCR_Extend of SHA-256 and SHA-384 values, empty password session. */
void tpm_extend_command(uint8_t out[TPM_EXTEND_SIZE], uint32_t pcr, const struct fw_digests *d);

/* Checks the header of a response, and that an accepted extend has
 * exactly its size: STOP_HANDED_OVER (0), STOP_TPM_RESPONSE or STOP_TPM_ERROR. */
enum fw_stop tpm_extend_response(const uint8_t header[TPM_HEADER_SIZE]);

#endif
