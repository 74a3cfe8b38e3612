/* The agent channel as the host reads it: whatever a guest sends, an answer that is found lies
 * inside the data, carries the id asked for and respects the bounds. */
#include "attest/agent/wire.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint32_t id = 0x01020304;
	long at = wire_find(data, size, id);
	struct wire_frame f;
	struct err e = { 0 };

	if (at < 0)
		return 0;
	if ((size_t)at + WIRE_HEADER > size || wire_parse(data + at, &f, &e) < 0 || f.id != id ||
	    f.size > WIRE_PAYLOAD_MAX || f.type == WIRE_EVIDENCE_REQUEST || f.type == WIRE_DATA_KEY)
		abort();
	return 0;
}
