/* A TPM 2.0 Command Response Buffer interface (TCG PTP §6.5.3), locality 0 only, in front of a
 * swtpm reached over a stream socket. The buffer is trapped like the registers: the guest cannot
 * change a command while it is checked. A command runs on the vCPU that starts it. */
#ifndef PAVISE_VMM_PLATFORM_TPM_CRB_H
#define PAVISE_VMM_PLATFORM_TPM_CRB_H

#include "common/err.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define TPM_CRB_BUFFER 0x80u      /* offset of the command and response buffer */
#define TPM_CRB_BUFFER_SIZE 0xF80u
#define TPM_CRB_TIMEOUT_MS 120000 /* RSA key generation is slow; a stop cuts the wait short */

typedef void (*tpm_crb_log_fn)(void *ctx, const char *text);

struct tpm_crb {
	int fd;              /* stream socket to swtpm, non-blocking */
	int timeout_ms;      /* longest wait for a whole response */
	const atomic_bool *stopping; /* the VM is ending: give up waiting */
	tpm_crb_log_fn log;
	void *log_ctx;
	bool broken;         /* swtpm broke its promise once: every command fails from then on */
	bool granted;        /* locality 0 is taken */
	bool idle;           /* CTRL_STS.tpmIdle */
	uint32_t interrupts; /* INT_ENABLE, kept but never acted on */
	uint8_t buffer[TPM_CRB_BUFFER_SIZE];
};

/* Takes over fd (made non-blocking). 0, -EX_HOST. */
int tpm_crb_init(struct tpm_crb *t, int fd, const atomic_bool *stopping, tpm_crb_log_fn log,
		 void *log_ctx, struct err *e);

/* dispatch callbacks, ctx = struct tpm_crb. */
uint64_t tpm_crb_read(void *ctx, uint64_t offset, unsigned size);
void tpm_crb_write(void *ctx, uint64_t offset, unsigned size, uint64_t value);

#endif
