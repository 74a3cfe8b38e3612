/* Client of swtpm's control channel (swtpm_ioctls(3)): the few commands that stand for the
 * platform around a TPM. All numbers on the wire are big endian. */
#ifndef PAVISE_SANDBOX_VTPM_CONTROL_H
#define PAVISE_SANDBOX_VTPM_CONTROL_H

#include "common/err.h"

#include <stddef.h>

/* A reset: power off and on. TPM2_Startup has to follow. 0 or -EX_HOST. */
int control_reset(int fd, int timeout_ms, struct err *e);

/* The H-CRTM sequence over size bytes (at least 1) at locality 4: _TPM_Hash_Start, _Data, _End
 * (TPM 2.0 part 1, 34.4). Between a reset and TPM2_Startup it makes PCR 0 start from the
 * measurement; after TPM2_Startup it would be a D-RTM and touch PCR 17. 0 or -EX_HOST. */
int control_hcrtm(int fd, const void *data, size_t size, int timeout_ms, struct err *e);

#endif
