/* A transmission interface of tpm2-tss (TCG TSS 2.0 TCTI specification) over one connected stream
 * socket that carries bare TPM commands and responses. tpm2-tss brings one for swtpm that takes
 * host and port only and would open the control channel too. */
#ifndef PAVISE_SANDBOX_VTPM_TCTI_FD_H
#define PAVISE_SANDBOX_VTPM_TCTI_FD_H

#include "common/err.h"

#include <stdint.h>
#include <tss2/tss2_tcti.h>

/* Opaque to tpm2-tss beyond `common`, which comes first. */
struct tcti_fd {
	TSS2_TCTI_CONTEXT_COMMON_V1 common;
	int fd;         /* borrowed, never closed */
	int timeout_ms; /* for a response, when the caller would wait forever */
	int waiting;    /* a command was sent, its response not received */
	int header_received;
	uint8_t header[10];
	struct err err; /* why the last operation failed, when the cause is the channel's */
};

/* Fills *t. tcti_fd_context gives it to Tss2_Sys_Initialize and the like. */
void tcti_fd_init(struct tcti_fd *t, int fd, int timeout_ms);
TSS2_TCTI_CONTEXT *tcti_fd_context(struct tcti_fd *t);

#endif
