/* The answer of a quote generation service: read no further than it says, and a quote that comes
 * out lies within it, not empty and no larger than the VMM takes. */
#include "attest/quote/qgs.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *quote = NULL;
	size_t quote_size = 0, need = 0, before = 0;
	struct err e = { 0 };

	/* As it arrives: what is needed never shrinks, and never passes the buffer. */
	for (size_t have = 0; have <= size && have < 8; have++) {
		if (qgs_answer_need(data, have, &need, &e) != 0)
			break;
		if (need < before || need > QGS_ANSWER_MAX)
			abort();
		before = need;
	}
	if (qgs_answer(data, size, &quote, &quote_size, &e) != 0)
		return 0;
	if (quote_size == 0 || quote_size > QUOTE_SIZE_MAX || quote < data ||
	    quote + quote_size != data + size)
		abort();
	return 0;
}
