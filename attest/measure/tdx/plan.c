#include "attest/measure/tdx/plan.h"

#include "attest/measure/parts.h"

#include <string.h>

/* Regions and start state: a function of the parts and of nothing else. */
static int lay_out(const struct measure_file *firmware, const uint8_t *hash_page,
		   const struct measure_file *kernel, const struct measure_file *initrd,
		   const char *cmdline, struct plan *p, struct err *e)
{
	p->tee = PLAN_TEE_TDX;
	p->vcpu = (struct plan_vcpu){ .rip = FW_RESET_VECTOR };
	p->tdx.attributes = PLAN_TDX_ATTRIBUTES;
	p->tdx.gpaw = TDX_GPAW;
	p->region_count = 0;
	parts_add_region(p, PLAN_FIRMWARE, FW_IMAGE, firmware->data, firmware->size);
	parts_add_region(p, PLAN_ZERO, FW_SCRATCH, NULL, FW_SCRATCH_SIZE);
	parts_add_region(p, PLAN_HASH_PAGE, FW_HASH_PAGE, hash_page, FW_PAGE);
	parts_add_region(p, PLAN_MAILBOX, FW_MAILBOX, NULL, FW_PAGE);
	parts_add_region(p, PLAN_RESET_PAGE, FW_RESET_PAGE,
			 firmware->data + firmware->size - FW_PAGE, FW_PAGE);
	return parts_add_staged(p, kernel, initrd, cmdline, e);
}

/* What the TDX module demands of XFAM beyond the plan's rules (Intel TDX Module base specification,
 * "XFAM"): AVX-512 is one feature of three bits and needs AVX, CET one of two, AMX one of two. */
static int xfam_is_whole(uint64_t xfam)
{
	const uint64_t avx = 1u << 2, avx512 = 7u << 5, cet = 3u << 11, amx = 3u << 17;

	if ((xfam & avx512) != 0 && (xfam & (avx512 | avx)) != (avx512 | avx))
		return 0;
	return ((xfam & cet) == 0 || (xfam & cet) == cet) &&
	       ((xfam & amx) == 0 || (xfam & amx) == amx);
}

int tdx_plan_build(const struct plain_input *in, uint64_t xfam, struct plain_plan *out,
		   struct err *e)
{
	struct plan *p = &out->plan;

	if ((xfam & PLAN_TDX_XFAM_ONE) != PLAN_TDX_XFAM_ONE || (xfam & ~PLAN_TDX_XFAM_BITS) != 0 ||
	    !xfam_is_whole(xfam))
		return err_set(e, EX_USAGE_ERROR,
			       "xfam: 0x%llx: bits 0 and 1 must be one, bits 5 to 7 (AVX-512, with "
			       "bit 2), 11 and 12 (CET), 17 and 18 (AMX) alike, those outside "
			       "0x%llx zero",
			       (unsigned long long)xfam, PLAN_TDX_XFAM_BITS);
	int r = parts_check(in, FW_VARIANT_TDX, out, e);
	if (r < 0)
		return r;
	*p = (struct plan){ .max_cpus = in->max_cpus, .tdx.xfam = xfam };
	r = lay_out(&in->firmware, out->hash_page, &in->kernel, &in->initrd, out->cmdline, p, e);
	return r < 0 ? r : parts_hash_page(in, FW_VARIANT_TDX, out, e);
}

int tdx_plan_open(const char *object, const struct plan *plan, struct plain_contents *out,
		  struct err *e)
{
	struct plan made = { .max_cpus = plan->max_cpus };
	int r = parts_open(object, plan, PLAN_TEE_TDX, FW_VARIANT_TDX, out, e);

	if (r == 0)
		r = lay_out(&out->firmware, out->hash_page.data, &out->kernel, &out->initrd,
			    out->cmdline, &made, e);
	if (r < 0)
		return r;
	/* Start state and attributes are constants that plan_parse has checked. */
	if (!parts_same_regions(&made, plan))
		return err_set(e, EX_MALFORMED,
			       "plan %s: its regions or their order are not those of its firmware: "
			       "make it again",
			       object);
	return 0;
}

static const char *region_name(enum plan_region_type type)
{
	switch (type) {
	case PLAN_FIRMWARE:
		return "firmware";
	case PLAN_HASH_PAGE:
		return "hash page";
	case PLAN_RESET_PAGE:
		return "reset page";
	case PLAN_MAILBOX:
		return "mailbox";
	default:
		return "zero";
	}
}

/* The last page may be short: zeros follow, as in the file. */
static void fill_page(const struct plan_region *g, uint64_t at, uint8_t page[MRTD_PAGE])
{
	uint64_t left = g->size - at;

	memset(page, 0, MRTD_PAGE);
	if (g->data != NULL)
		memcpy(page, g->data + at, left < MRTD_PAGE ? (size_t)left : MRTD_PAGE);
}

static int add_region(struct mrtd *m, const struct plan_region *g, struct tdx_measured *out,
		      struct err *e)
{
	uint8_t page[MRTD_PAGE];
	int r = 0;

	for (uint64_t at = 0; r == 0 && at < g->size; at += MRTD_PAGE) {
		struct mrtd_step step = { .added = 1,
					  .extended = g->type != PLAN_ZERO,
					  .gpa = g->gpa + at,
					  .what = region_name(g->type),
					  .index = (uint32_t)(at / MRTD_PAGE) };
		fill_page(g, at, page);
		r = mrtd_page(m, &step, page, e);
		out->extended += step.extended != 0;
	}
	return r;
}

int tdx_measure(const struct plan *p, mrtd_step_fn *each, void *arg, struct tdx_measured *out,
		struct err *e)
{
	struct mrtd m;
	int r = mrtd_open(&m, each, arg, e);

	*out = (struct tdx_measured){ 0 };
	for (uint32_t i = 0; r == 0 && i < p->region_count; i++)
		if (plan_is_launched(p->region[i].type))
			r = add_region(&m, &p->region[i], out, e);
	if (r == 0)
		r = mrtd_value(&m, out->mrtd, e);
	out->pages = m.pages;
	mrtd_close(&m);
	return r;
}
