/* A thread's status file. The names of threads are the process's choice; what is accepted has one
 * line of each kind, so a name adds none. */
#include "sandbox/proc_state.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t lines_with(const uint8_t *data, size_t size, const char *key)
{
	size_t found = 0, n = strlen(key);

	for (size_t i = 0; i + n <= size; i++)
		found += (i == 0 || data[i - 1] == '\n') && memcmp(data + i, key, n) == 0;
	return found;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const keys[] = { "Name:\t", "Uid:\t", "CapEff:\t", "Seccomp:\t",
					    "Seccomp_filters:\t", "NoNewPrivs:\t" };
	struct proc_status s;
	struct err e = { 0 };

	if (proc_status_parse((const char *)data, size, &s, &e) != 0)
		return 0;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (lines_with(data, size, keys[i]) != 1)
			abort();
	return 0;
}
