/* The guest's TPM as the agent uses it: an attestation key, a quote, PCR values. tpm2-tss speaks;
 * this file only chooses. All functions report what the TPM said in *e (EX_GUEST). */
#ifndef PAVISE_ATTEST_AGENT_TPM_H
#define PAVISE_ATTEST_AGENT_TPM_H

#include "common/err.h"

#include <stddef.h>
#include <stdint.h>
#include <tss2/tss2_tcti.h>

#define AGENT_PCRS 8u            /* PCR 0..7: what firmware and boot measured */
#define AGENT_BANKS 2u           /* SHA-256, SHA-384 */
#define AGENT_DIGEST_MAX 48u
#define AGENT_BLOB_MAX 1024u

struct agent_blob {
	uint8_t data[AGENT_BLOB_MAX];
	size_t size;
};

struct agent_tpm;  /* one TPM with a loaded attestation key */

struct agent_quote {
	struct agent_blob attest;     /* TPMS_ATTEST */
	struct agent_blob signature;  /* TPMT_SIGNATURE */
	uint8_t pcr[AGENT_BANKS][AGENT_PCRS][AGENT_DIGEST_MAX]; /* 32 bytes used in bank 0 */
};

/* Takes tcti (borrowed, must outlive *out) and creates the attestation key: an ECDSA P-256
 * primary key in the endorsement hierarchy, restricted to signing what the TPM itself made. */
int agent_tpm_open(TSS2_TCTI_CONTEXT *tcti, struct agent_tpm **out, struct err *e);

/* TPMT_PUBLIC of the attestation key (TPM 2.0 Part 2 §12.2.4). */
const struct agent_blob *agent_tpm_ak(const struct agent_tpm *t);

/* Quotes PCR 0..7 of both banks with the 32 bytes of extra_data, then reads the same PCRs. */
int agent_tpm_quote(struct agent_tpm *t, const uint8_t extra_data[32], struct agent_quote *out,
		    struct err *e);

void agent_tpm_close(struct agent_tpm *t);

#endif
