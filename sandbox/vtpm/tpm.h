/* The TPM commands a platform gives before its firmware runs, by tpm2-tss over a descriptor. */
#ifndef PAVISE_SANDBOX_VTPM_TPM_H
#define PAVISE_SANDBOX_VTPM_TPM_H

#include "common/err.h"
#include "sandbox/vtpm/tcti_fd.h"

#include <stddef.h>
#include <tss2/tss2_sys.h>

struct tpm {
	struct tcti_fd tcti;
	TSS2_SYS_CONTEXT *sys;
};

/* data_fd is borrowed. On success tpm_close(t) is due. Every function: 0 or -EX_HOST. */
int tpm_open(struct tpm *t, int data_fd, int timeout_ms, struct err *e);
void tpm_close(struct tpm *t);

int tpm_startup_clear(struct tpm *t, struct err *e);
int tpm_shutdown_clear(struct tpm *t, struct err *e);

/* SHA-256 and SHA-384 from the next reset on, no other bank: one that is not extended could be
 * extended by the guest to any history it likes. */
int tpm_allocate_banks(struct tpm *t, struct err *e);

/* Both banks have 24 PCRs, any other has none. */
int tpm_check_banks(struct tpm *t, struct err *e);

/* PCR 0 of bank alg (TPM2_ALG_*) is exactly the size bytes at want. */
int tpm_check_pcr0(struct tpm *t, TPM2_ALG_ID alg, const void *want, size_t size, struct err *e);

/* Platform hierarchy off until the next reset: without it nobody allocates banks. */
int tpm_disable_platform(struct tpm *t, struct err *e);

#endif
