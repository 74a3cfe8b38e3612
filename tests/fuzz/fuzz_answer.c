/* The host's reader of the agent channel: the first byte says in what pieces the rest comes. */
#include "attest/agent/answer.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct host_claims host = { .vm = "vm", .degraded = true, .missing = 7 };
	struct answer a;
	struct err e = { 0 };
	int r = 0;

	if (size < 1 || answer_begin(&a, 0x01020304u, &e) < 0)
		return 0;
	size_t piece = data[0] % 64 + 1u;
	for (size_t at = 1; at < size && r == 0;) {
		size_t space, n = size - at < piece ? size - at : piece;
		uint8_t *p = answer_space(&a, &space);
		if (space == 0)
			abort(); /* an answer that is whole was not said to be */
		n = n < space ? n : space;
		memcpy(p, data + at, n);
		at += n;
		r = answer_took(&a, n, &e);
	}
	if (r > 0) {
		size_t length;
		char *out = NULL;
		const char *text = answer_text(&a, &length);
		if (text[length] != '\0' || length > WIRE_PAYLOAD_MAX)
			abort();
		answer_evidence(text, length, &host, "{\"k\":1}", &out, &e);
		free(out);
	}
	answer_free(&a);
	return 0;
}
