/* Writes a plan file for the launcher's tests: mkplan FILE MIN_RAM MAX_CPUS. Its firmware is one
 * page of HLT: it is measured and never run. */
#include "common/plan.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
	static uint8_t image[PLAN_PAGE];
	struct err e = { 0 };
	struct plan p = { .tee = PLAN_TEE_PLAIN, .region_count = 1 };

	if (argc != 4)
		return EX_USAGE_ERROR;
	memset(image, 0xf4, sizeof(image));
	p.min_ram = strtoull(argv[2], NULL, 10);
	p.max_cpus = (uint32_t)strtoul(argv[3], NULL, 10);
	p.vcpu = (struct plan_vcpu){ .rip = 0x100000, .rsp = 0x101000, .cr3 = 0x100000 };
	p.region[0] = (struct plan_region){ PLAN_FIRMWARE, 0x100000, sizeof(image), image };
	size_t size = plan_file_size(&p);
	void *out = calloc(1, size);
	FILE *f = fopen(argv[1], "w");
	bool made = out != NULL && f != NULL && plan_write(&p, out, size, &e) == 0 &&
		    fwrite(out, size, 1, f) == 1;
	if (f != NULL && fclose(f) != 0)
		made = false;
	free(out);
	if (!made)
		fprintf(stderr, "mkplan: %s: %s\n", argv[1],
			e.status != EX_OK ? e.text : "cannot be written");
	return made ? 0 : EX_HOST;
}
