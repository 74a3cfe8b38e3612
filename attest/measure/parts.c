#include "attest/measure/parts.h"

#include "attest/measure/hash_page.h"
#include "attest/measure/image.h"
#include "firmware/staging.h"

#include <string.h>

static int check_cmdline(const struct plain_input *in, uint32_t max, struct err *e)
{
	size_t n = strlen(in->cmdline);

	if (n > MEASURE_CMDLINE_MAX)
		return err_set(e, EX_USAGE_ERROR, "append: %zu bytes: at most %u are taken", n,
			       MEASURE_CMDLINE_MAX);
	if (n > max)
		return err_set(e, EX_USAGE_ERROR, "append: %zu bytes: this kernel takes %u", n,
			       max);
	return 0;
}

/* A plan's minimum of memory is where the staged blobs, their kernel's copy and the initrd's end on
 * top of each other: a kernel must take an initrd up to there, or the minimum would not boot. */
static int check_initrd(const struct plain_input *in, uint64_t addr_max, struct err *e)
{
	uint64_t end = fw_staging_min_ram(in->kernel.size, in->initrd.size,
					  strlen(in->cmdline) + 1);

	if (in->initrd.data != NULL && in->initrd.size == 0)
		return err_set(e, EX_MALFORMED, "initrd %s: the file is empty", in->initrd.name);
	if (in->initrd.data != NULL && end != 0 && end - 1 > addr_max)
		return err_set(e, EX_MALFORMED,
			       "initrd %s: %zu bytes, too large for this kernel, which wants it "
			       "below 0x%llx: take a newer kernel",
			       in->initrd.name, in->initrd.size,
			       (unsigned long long)addr_max + 1);
	return 0;
}

int parts_check(const struct plain_input *in, enum fw_variant variant, struct plain_plan *out,
		struct err *e)
{
	struct kernel_takes kernel = { 0 };
	int r = firmware_image_check(in->firmware.name, in->firmware.data, in->firmware.size,
				     variant, &out->image, e);

	if (r == 0)
		r = kernel_check(in->kernel.name, in->kernel.data, in->kernel.size, variant,
				 &kernel, e);
	if (r == 0)
		r = check_cmdline(in, kernel.cmdline_size, e);
	if (r == 0)
		r = check_initrd(in, kernel.initrd_addr_max, e);
	if (r < 0)
		return r;
	if (in->kernel.size > MEASURE_KERNEL_MAX || in->initrd.size > MEASURE_INITRD_MAX)
		return err_set(e, EX_MALFORMED, "%s %s: too large to stage",
			       in->kernel.size > MEASURE_KERNEL_MAX ? "kernel" : "initrd",
			       in->kernel.size > MEASURE_KERNEL_MAX ? in->kernel.name
								    : in->initrd.name);
	if (in->max_cpus == 0 || in->max_cpus > FW_BOOT_CPU_MAX)
		return err_set(e, EX_USAGE_ERROR, "max-cpus: %u: give 1 to %u", in->max_cpus,
			       FW_BOOT_CPU_MAX);
	memcpy(out->cmdline, in->cmdline, strlen(in->cmdline) + 1);
	return 0;
}

int parts_hash_page(const struct plain_input *in, enum fw_variant variant, struct plain_plan *out,
		    struct err *e)
{
	struct hash_page_input hashes = { .variant = variant,
					  .kernel = in->kernel.data,
					  .kernel_size = in->kernel.size,
					  .initrd = in->initrd.data,
					  .initrd_size = in->initrd.size,
					  .cmdline = out->cmdline,
					  .min_ram = out->plan.min_ram,
					  .max_cpus = out->plan.max_cpus,
					  .require_tpm = in->require_tpm };
	return hash_page_fill(&hashes, out->hash_page, e);
}

void parts_add_region(struct plan *p, enum plan_region_type type, uint64_t gpa, const uint8_t *data,
		      uint64_t size)
{
	p->region[p->region_count++] =
		(struct plan_region){ .type = type, .gpa = gpa, .size = size, .data = data };
}

int parts_add_staged(struct plan *p, const struct measure_file *kernel,
		     const struct measure_file *initrd, const char *cmdline, struct err *e)
{
	uint64_t cmdline_size = strlen(cmdline) + 1;
	struct fw_staging at;

	if (fw_staging(kernel->size, initrd->size, cmdline_size, &at) != 0)
		return err_set(e, EX_MALFORMED,
			       "kernel %s: with the initrd too large to stage below 3 GiB",
			       kernel->name);
	parts_add_region(p, PLAN_BOOT_BLOCK, FW_BOOT_BLOCK, NULL, FW_PAGE);
	parts_add_region(p, PLAN_KERNEL, at.kernel, kernel->data, kernel->size);
	if (initrd->data != NULL)
		parts_add_region(p, PLAN_INITRD, at.initrd, initrd->data, initrd->size);
	parts_add_region(p, PLAN_CMDLINE, at.cmdline, (const uint8_t *)cmdline, cmdline_size);
	p->min_ram = fw_staging_min_ram(kernel->size, initrd->size, cmdline_size);
	if (p->min_ram == 0)
		return err_set(e, EX_MALFORMED,
			       "kernel %s: with the initrd too large to copy below 3 GiB",
			       kernel->name);
	return 0;
}

int parts_same_regions(const struct plan *a, const struct plan *b)
{
	int same = a->region_count == b->region_count && a->min_ram == b->min_ram;

	for (uint32_t i = 0; same && i < a->region_count; i++)
		same = a->region[i].type == b->region[i].type &&
		       a->region[i].gpa == b->region[i].gpa &&
		       a->region[i].size == b->region[i].size;
	return same;
}

uint32_t parts_launched_pages(const struct plan *p)
{
	uint64_t pages = 0;

	for (uint32_t i = 0; i < p->region_count; i++)
		if (plan_is_launched(p->region[i].type))
			pages += (p->region[i].size + FW_PAGE - 1) / FW_PAGE;
	return (uint32_t)pages; /* a region has 2^19 at most */
}

static struct measure_file region_file(const char *object, const struct plan *p,
				       enum plan_region_type type)
{
	const struct plan_region *g = plan_find(p, type);
	struct measure_file f = { .name = object };

	if (g != NULL) {
		f.data = g->data;
		f.size = (size_t)g->size;
	}
	return f;
}

static int take_parts(const char *object, const struct plan *plan, enum plan_tee tee,
		      struct plain_contents *out, struct err *e)
{
	*out = (struct plain_contents){
		.firmware = region_file(object, plan, PLAN_FIRMWARE),
		.hash_page = region_file(object, plan, PLAN_HASH_PAGE),
		.kernel = region_file(object, plan, PLAN_KERNEL),
		.initrd = region_file(object, plan, PLAN_INITRD),
	};
	struct measure_file cmdline = region_file(object, plan, PLAN_CMDLINE);

	if (plan->tee != tee)
		return err_set(e, EX_MALFORMED, "plan %s: not of %s machine (tee %u)", object,
			       tee == PLAN_TEE_PLAIN ? "a plain"
			       : tee == PLAN_TEE_SNP ? "an SEV-SNP"
						     : "a TDX",
			       (unsigned)plan->tee);
	if (out->firmware.data == NULL || out->hash_page.data == NULL || out->kernel.data == NULL ||
	    cmdline.data == NULL || plan_find(plan, PLAN_BOOT_BLOCK) == NULL)
		return err_set(e, EX_MALFORMED,
			       "plan %s: firmware, hash page, boot block, kernel or command line "
			       "is missing: make it again",
			       object);
	if (cmdline.data[cmdline.size - 1] != '\0' ||
	    strlen((const char *)cmdline.data) + 1 != cmdline.size ||
	    cmdline.size > MEASURE_CMDLINE_MAX + 1)
		return err_set(e, EX_MALFORMED,
			       "plan %s: its command line is too long or not one text", object);
	out->cmdline = (const char *)cmdline.data;
	return 0;
}

int parts_open(const char *object, const struct plan *plan, enum plan_tee tee,
	       enum fw_variant variant, struct plain_contents *out, struct err *e)
{
	uint8_t page[FW_PAGE];
	struct kernel_takes kernel;
	int r = take_parts(object, plan, tee, out, e);

	if (r == 0)
		r = firmware_image_check(object, out->firmware.data, out->firmware.size, variant,
					 &out->image, e);
	if (r == 0)
		r = kernel_check(object, out->kernel.data, out->kernel.size, variant,
				 &kernel, e);
	if (r < 0)
		return r;
	hash_page_record(out->hash_page.data, &out->record);
	struct hash_page_input hashes = { .variant = variant,
					  .kernel = out->kernel.data,
					  .kernel_size = out->kernel.size,
					  .initrd = out->initrd.data,
					  .initrd_size = out->initrd.size,
					  .cmdline = out->cmdline,
					  .min_ram = plan->min_ram,
					  .max_cpus = plan->max_cpus,
					  .require_tpm = out->record.require_tpm == 1 };
	r = hash_page_fill(&hashes, page, e);
	if (r < 0)
		return r;
	if (memcmp(page, out->hash_page.data, FW_PAGE) != 0)
		return err_set(e, EX_MALFORMED,
			       "plan %s: its hash page is not that of its kernel, initrd, command "
			       "line and limits: make it again",
			       object);
	return 0;
}
