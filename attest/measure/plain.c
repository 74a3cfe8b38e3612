#include "attest/measure/plain.h"

#include "attest/measure/parts.h"

int plain_plan_build(const struct plain_input *in, struct plain_plan *out, struct err *e)
{
	struct plan *p = &out->plan;
	int r = parts_check(in, FW_VARIANT_PLAIN, out, e);

	if (r < 0)
		return r;
	*p = (struct plan){ .tee = PLAN_TEE_PLAIN, .max_cpus = in->max_cpus };
	p->vcpu = (struct plan_vcpu){ .rip = FW_IMAGE + out->image.entry,
				      .rsp = FW_SCRATCH + out->image.stack_top,
				      .cr3 = FW_IMAGE + out->image.page_table };
	parts_add_region(p, PLAN_FIRMWARE, FW_IMAGE, in->firmware.data, in->firmware.size);
	parts_add_region(p, PLAN_HASH_PAGE, FW_HASH_PAGE, out->hash_page, FW_PAGE);
	r = parts_add_staged(p, &in->kernel, &in->initrd, out->cmdline, e);
	return r < 0 ? r : parts_hash_page(in, FW_VARIANT_PLAIN, out, e);
}

static int check_start(const char *object, const struct plan *plan,
		       const struct fw_image_header *image, struct err *e)
{
	if (plan->region[0].gpa != FW_IMAGE || plan->vcpu.rip != FW_IMAGE + image->entry ||
	    plan->vcpu.rsp != FW_SCRATCH + image->stack_top ||
	    plan->vcpu.cr3 != FW_IMAGE + image->page_table ||
	    plan_find(plan, PLAN_HASH_PAGE)->gpa != FW_HASH_PAGE ||
	    plan_find(plan, PLAN_BOOT_BLOCK)->gpa != FW_BOOT_BLOCK)
		return err_set(e, EX_MALFORMED,
			       "plan %s: its start state or addresses are not the firmware's: make "
			       "it again",
			       object);
	return 0;
}

int plain_plan_open(const char *object, const struct plan *plan, struct plain_contents *out,
		    struct err *e)
{
	int r = parts_open(object, plan, PLAN_TEE_PLAIN, FW_VARIANT_PLAIN, out, e);

	return r < 0 ? r : check_start(object, plan, &out->image, e);
}
