/* Any bytes as an event log: every event lies inside them, replays of all banks end, and a log
 * that replays in one of its banks has a digest of it in every event that counts. */
#include "attest/tpm/eventlog.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(const uint8_t *data, size_t size)
{
	struct eventlog log;
	struct event ev;
	struct err e = { 0 };

	if (eventlog_open(data, size, &log, &e) < 0)
		return;
	while (eventlog_next(&log, &ev, &e) > 0) {
		if (ev.data < data || ev.size > size || ev.data + ev.size > data + size)
			abort();
		if (ev.pcr >= TPM_PCR_COUNT && ev.type != EV_NO_ACTION)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint16_t algs[] = { TPM_ALG_SHA1, TPM_ALG_SHA256, TPM_ALG_SHA384,
					 TPM_ALG_SHA512 };
	uint32_t touched = 0;
	struct replay out;

	walk(data, size);
	for (size_t i = 0; i < sizeof(algs) / sizeof(algs[0]); i++) {
		struct err e = { 0 };
		if (eventlog_replay(data, size, algs[i], &out, &e) < 0)
			continue;
		/* Banks of one log agree on which PCRs it extends. */
		if (touched != 0 && out.touched != touched)
			abort();
		touched = out.touched;
	}
	return 0;
}
