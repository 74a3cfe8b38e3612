/* What the agent answers a nonce with: docs/PROTOCOL.evidence. */
#ifndef PAVISE_ATTEST_AGENT_EVIDENCE_H
#define PAVISE_ATTEST_AGENT_EVIDENCE_H

#include "attest/agent/tee.h"
#include "attest/agent/tpm.h"
#include "common/err.h"

#include <openssl/evp.h>
#include <stddef.h>
#include <stdint.h>

#define AGENT_EVENT_LOG_MAX (256u << 10)  /* bytes; ours is at most 64 KiB */

#define AGENT_CC_LOG_MAX 65536u

struct agent {
	const struct agent_tee *tee; /* NULL: a plain guest */
	struct agent_tpm *tpm;       /* NULL: a confidential guest without vTPM */
	EVP_PKEY *key;               /* made in the guest, never leaves it */
	const uint8_t *event_log;
	size_t event_log_size;
	const uint8_t *cc_log; /* of a trust domain: what its registers hold; NULL: none */
	size_t cc_log_size;
};

/* A fresh EC P-256 key pair: secrets can be wrapped to its public half. Caller frees. */
int agent_make_key(EVP_PKEY **out, struct err *e);

/* Evidence as JSON text that the caller frees. nonce: WIRE_NONCE_MIN..WIRE_NONCE_MAX bytes. The
 * agent signs nothing a caller chose beyond this nonce, and that only inside the binding. */
int agent_evidence(const struct agent *a, const uint8_t *nonce, size_t nonce_size, char **text,
		   struct err *e);

#endif
