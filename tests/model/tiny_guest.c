#include "tests/model/tiny_guest.h"

#include "model/platform.h"

#include <stdio.h>
#include <string.h>

static void add(struct harness *h, enum plan_region_type type, uint64_t gpa, uint64_t size)
{
	h->plan.region[h->plan.region_count++] = (struct plan_region){ type, gpa, size, NULL };
}

void tiny_guest_prepare(struct harness *h, struct psp_process *psp, const char *name)
{
	struct fw_image_header image;
	char file[64];
	int fd;

	snprintf(file, sizeof(file), "snp-%s", name);
	harness_init(h, file);
	h->program = "pavise-vmm-sim";
	memcpy(&image, h->image, sizeof(image));
	h->plan.tee = PLAN_TEE_SNP;
	h->plan.vcpu = (struct plan_vcpu){ FW_IMAGE + image.entry, FW_SCRATCH + FW_SCRATCH_SIZE,
					   (FW_IMAGE + image.page_table) | MODEL_C_BIT };
	h->plan.snp = (struct plan_snp){ .cpus = 1, .policy = PLAN_SNP_POLICY,
					 .sev_features = PLAN_SNP_FEATURES, .c_bit = SNP_C_BIT,
					 .ap_rip = FW_IMAGE + image.ap_entry };
	h->plan.region_count = 1;
	add(h, PLAN_ZERO, FW_SCRATCH, FW_SCRATCH_SIZE);
	add(h, PLAN_CPUID_PAGE, FW_CPUID_PAGE, FW_PAGE);
	add(h, PLAN_SECRETS_PAGE, FW_SECRETS_PAGE, FW_PAGE);
	add(h, PLAN_BOOT_BLOCK, FW_BOOT_BLOCK, FW_PAGE);
	fd = psp_start(psp);
	if (fd >= 0)
		harness_add_fd(h, "psp", fd);
	else
		printf("# pavise-psp-sim does not start\n");
}
