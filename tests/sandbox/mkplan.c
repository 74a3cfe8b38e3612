/* Writes a plan file for the launcher's tests: mkplan FILE MIN_RAM MAX_CPUS [snp|tdx|guest IMAGE].
 * Its firmware is one page of HLT: it is measured and never run. IMAGE is a tiny guest, which runs
 * (tests/guests). */
#include "common/file.h"
#include "common/plan.h"
#include "firmware/layout.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where tests/guests/lib/guest.lds puts it, and what it finds there. */
static bool add_guest(const char *path, struct plan *p)
{
	struct err e = { 0 };
	void *image;
	size_t size;

	if (file_read("guest", path, 1 << 20, 0, &image, &size, &e) != 0) {
		fprintf(stderr, "mkplan: %s\n", e.text);
		return false;
	}
	p->vcpu = (struct plan_vcpu){ .rip = 0x100000, .rsp = 0x180000, .cr3 = 0x110000 };
	p->region[0] = (struct plan_region){ PLAN_FIRMWARE, 0x100000, size, image };
	p->region[p->region_count++] = (struct plan_region){ PLAN_BOOT_BLOCK, FW_BOOT_BLOCK,
							     FW_PAGE, NULL };
	return true;
}

int main(int argc, char **argv)
{
	static uint8_t image[PLAN_PAGE];
	struct err e = { 0 };
	struct plan p = { .tee = PLAN_TEE_PLAIN, .region_count = 1 };

	const bool tdx = argc == 5 && strcmp(argv[4], "tdx") == 0;
	const bool snp = argc == 5 && strcmp(argv[4], "snp") == 0;
	const bool guest = argc == 6 && strcmp(argv[4], "guest") == 0;

	if (argc != 4 && !tdx && !snp && !guest)
		return EX_USAGE_ERROR;
	memset(image, 0xf4, sizeof(image));
	p.min_ram = strtoull(argv[2], NULL, 10);
	p.max_cpus = (uint32_t)strtoul(argv[3], NULL, 10);
	p.vcpu = (struct plan_vcpu){ .rip = 0x100000, .rsp = 0x101000, .cr3 = 0x100000 };
	p.region[0] = (struct plan_region){ PLAN_FIRMWARE, 0x100000, sizeof(image), image };
	if (guest && !add_guest(argv[5], &p))
		return EX_HOST;
	if (snp) {
		p.tee = PLAN_TEE_SNP;
		p.vcpu.cr3 |= 1ull << SNP_C_BIT;
		p.snp = (struct plan_snp){ .policy = PLAN_SNP_POLICY,
					   .sev_features = PLAN_SNP_FEATURES,
					   .c_bit = SNP_C_BIT, .cpus = p.max_cpus,
					   .ap_rip = 0x100000 };
	}
	if (tdx) {
		p.tee = PLAN_TEE_TDX;
		p.vcpu = (struct plan_vcpu){ .rip = FW_RESET_VECTOR };
		p.tdx = (struct plan_tdx){ PLAN_TDX_ATTRIBUTES, PLAN_TDX_XFAM, TDX_GPAW };
		p.region[p.region_count++] = (struct plan_region){ PLAN_RESET_PAGE, FW_RESET_PAGE,
								   sizeof(image), image };
	}
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
