#include "tests/model/tiny_td.h"

#include "firmware/layout.h"

#include <stdio.h>
#include <string.h>

static void add(struct harness *h, enum plan_region_type type, uint64_t gpa, uint64_t size,
		const void *data)
{
	h->plan.region[h->plan.region_count++] = (struct plan_region){ type, gpa, size, data };
}

void tiny_td_prepare(struct harness *h, struct tdx_process *tdx, const char *name)
{
	char file[64];
	uint64_t size;
	int fd;

	snprintf(file, sizeof(file), "tdx-%s", name);
	harness_init(h, file);
	h->program = "pavise-vmm-sim";
	size = h->plan.region[0].size;
	h->plan.tee = PLAN_TEE_TDX;
	h->plan.vcpu = (struct plan_vcpu){ FW_RESET_VECTOR, 0, 0 };
	h->plan.tdx = (struct plan_tdx){ .attributes = PLAN_TDX_ATTRIBUTES, .xfam = PLAN_TDX_XFAM,
					 .gpaw = TDX_GPAW };
	h->plan.region_count = 1;
	add(h, PLAN_ZERO, FW_SCRATCH, FW_SCRATCH_SIZE, NULL);
	add(h, PLAN_MAILBOX, FW_MAILBOX, FW_PAGE, NULL);
	add(h, PLAN_RESET_PAGE, FW_RESET_PAGE, FW_PAGE,
	    (const uint8_t *)h->image + size - FW_PAGE);
	add(h, PLAN_BOOT_BLOCK, FW_BOOT_BLOCK, FW_PAGE, NULL);
	fd = tdx_start(tdx);
	if (fd >= 0)
		harness_add_fd(h, "psp", fd);
	else
		printf("# pavise-tdx-sim does not start\n");
}
