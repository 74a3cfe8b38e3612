/* Any bytes as a plan: what is taken is written back the same, byte for byte, and what opens as a
 * plan of a plain machine can be measured. */
#include "attest/measure/expect.h"
#include "attest/measure/plain.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_back(const struct plan *p, const uint8_t *data, size_t size)
{
	struct err e = { 0 };
	uint8_t *copy = malloc(size);

	if (copy == NULL || plan_file_size(p) != size || plan_write(p, copy, size, &e) < 0 ||
	    memcmp(copy, data, size) != 0)
		abort();
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct expectation x;
	struct plain_contents contents;
	struct expect_base base;
	struct err e = { 0 };
	struct plan p;

	if (plan_parse("input", data, size, &p, &e) < 0)
		return 0;
	write_back(&p, data, size);
	if (plain_plan_open("input", &p, &contents, &e) < 0)
		return 0;
	if (expect_base_make(&contents, &base, &e) < 0)
		abort();
	struct machine m = { .memory = 1u << 30, .cpus = 1, .pci_slots = 2 };
	if (expect_machine(&base, &m, &x, &e) < 0 && e.status != EX_USAGE_ERROR)
		abort();
	return 0;
}
