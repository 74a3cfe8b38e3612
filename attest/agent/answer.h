/* The host's reader of one answer of the agent channel (docs/PROTOCOL.agent), fed as bytes come.
 * What the guest sends is hostile: bounded here, believed nowhere. */
#ifndef PAVISE_ATTEST_AGENT_ANSWER_H
#define PAVISE_ATTEST_AGENT_ANSWER_H

#include "attest/agent/wire.h"
#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct answer {
	uint32_t id;	/* of the request that is answered */
	uint32_t type;	/* that an answer has to be of, if it is no error */
	bool found;	/* its header stands at the beginning of buffer */
	uint8_t *buffer; /* owned: header and payload, then one byte for a NUL */
	size_t have;	/* bytes in it */
	size_t skipped; /* bytes of older exchanges, dropped */
};

/* One request: header and nonce (WIRE_NONCE_MIN..WIRE_NONCE_MAX bytes) into out, which holds
 * WIRE_HEADER + WIRE_NONCE_MAX; the number of bytes is returned. The nonce is all that the guest is
 * ever told: nobody on the host chooses what its report binds besides. */
size_t answer_request(uint32_t id, const uint8_t *nonce, size_t nonce_size, uint8_t *out);

/* The same for a wrapped key (docs/PROTOCOL.key); out holds WIRE_HEADER + WIRE_DATA_KEY_SIZE. */
size_t answer_key_request(uint32_t id, const uint8_t key[WIRE_DATA_KEY_SIZE], uint8_t *out);

/* Begins to wait for the answer to id: evidence, unless `type` is then set to another. -EX_HOST:
 * no memory. answer_free, also after a failure. */
int answer_begin(struct answer *a, uint32_t id, struct err *e);

/* Where the next bytes go, and how many fit: at least one until the answer is whole. */
uint8_t *answer_space(struct answer *a, size_t *size);

/* n bytes were put there. 1: the answer is whole; 0: more must come; -EX_GUEST: too much that is
 * no answer, a malformed header, an answer of another type, or the agent's own error text. */
int answer_took(struct answer *a, size_t n, struct err *e);

/* The whole answer: *size bytes, a NUL behind them, borrowed. */
const char *answer_text(struct answer *a, size_t *size);

void answer_free(struct answer *a);

/* What the host says of itself and the guest's VM. */
struct host_claims {
	const char *vm;
	bool degraded;
	unsigned missing; /* enum isolation_missing, of degraded isolation */
};

/* The evidence in text (JSON) with what the host says of itself under "host_claims", and with
 * collateral, a JSON object as text, unless it is NULL. The caller frees *out. -EX_MALFORMED: the
 * agent's answer is not an object of JSON; -EX_HOST. */
int answer_evidence(const char *text, size_t size, const struct host_claims *host,
		    const char *collateral, char **out, struct err *e);

#endif
