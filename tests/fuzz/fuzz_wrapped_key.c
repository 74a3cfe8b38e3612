/* A wrapped key as the agent gets it from the host: nothing that was not made for its key opens.
 * The key is made anew in each run, so a seed that opens cannot exist. */
#include "attest/key/wrapped_key.h"

#include <openssl/ec.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static EVP_PKEY *agent;
	static uint8_t sound[WRAPPED_KEY];
	const struct data_key k = { .flags = 0 }, none = { .flags = 0 };
	struct data_key out;
	struct err e = { 0 };

	if (agent == NULL) {
		agent = EVP_EC_gen("P-256");
		if (agent == NULL || wrapped_key_make(&k, agent, sound, &e) < 0)
			abort();
	}
	if (wrapped_key_open(data, size, agent, &out, &e) == 0 ||
	    memcmp(&out, &none, sizeof(out)) != 0)
		abort();
	/* A sound one, changed by the input: only one that is left as it was opens. */
	uint8_t changed[WRAPPED_KEY];
	int same = 1;
	for (size_t i = 0; i < WRAPPED_KEY; i++) {
		changed[i] = sound[i] ^ (i < size ? data[i] : 0);
		same &= changed[i] == sound[i];
	}
	struct err f = { 0 };
	if ((wrapped_key_open(changed, sizeof(changed), agent, &out, &f) == 0) != same)
		abort();
	return 0;
}
