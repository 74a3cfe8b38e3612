/* Frames of the agent channel: docs/PROTOCOL.agent. */
#ifndef PAVISE_ATTEST_AGENT_WIRE_H
#define PAVISE_ATTEST_AGENT_WIRE_H

#include "common/err.h"

#include <stddef.h>
#include <stdint.h>

#define WIRE_MAGIC 0x50564130u /* "PVA0" */
#define WIRE_HEADER 16u
#define WIRE_PAYLOAD_MAX (1u << 20)
#define WIRE_SKIP_MAX (1u << 22)
#define WIRE_NONCE_MIN 16u
#define WIRE_NONCE_MAX 64u
#define WIRE_ERROR_MAX 512u

#define WIRE_DATA_KEY_SIZE 121u /* docs/PROTOCOL.key */

enum wire_type {
	WIRE_EVIDENCE_REQUEST = 1,
	WIRE_EVIDENCE = 2,
	WIRE_ERROR = 3,
	WIRE_DATA_KEY = 4,
	WIRE_DATA_KEY_TAKEN = 5,
};

struct wire_frame {
	uint32_t type, id, size;  /* size of the payload, bytes */
};

/* Encodes a header. */
void wire_header(const struct wire_frame *f, uint8_t out[WIRE_HEADER]);

/* Decodes a header: 0, or -EX_MALFORMED naming the field. */
int wire_parse(const uint8_t in[WIRE_HEADER], struct wire_frame *out, struct err *e);

/* Finds the first header of an answer to `id` in size bytes: its offset, or -1 when there is
 * none (the last WIRE_HEADER - 1 bytes may still begin one). */
long wire_find(const uint8_t *data, size_t size, uint32_t id);

#endif
