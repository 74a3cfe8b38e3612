#include "attest/measure/snp/plan.h"

#include "attest/measure/parts.h"
#include "common/bytes.h"

#include <string.h>

/* Regions and start state: a function of the image's header, the parts and the values of the
 * plan's owner, and of nothing else. */
static int lay_out(const struct fw_image_header *image, const struct measure_file *firmware,
		   const uint8_t *hash_page, const struct measure_file *kernel,
		   const struct measure_file *initrd, const char *cmdline, int any_cpus,
		   struct plan *p, struct err *e)
{
	p->tee = PLAN_TEE_SNP;
	p->snp.cpus = any_cpus ? 0 : p->max_cpus;
	p->snp.sev_features = PLAN_SNP_FEATURES;
	p->snp.c_bit = SNP_C_BIT;
	p->snp.ap_rip = FW_IMAGE + image->ap_entry;
	p->vcpu = (struct plan_vcpu){ .rip = FW_IMAGE + image->entry,
				      .rsp = FW_SCRATCH + image->stack_top,
				      .cr3 = (FW_IMAGE + image->page_table) | 1ull << SNP_C_BIT };
	p->region_count = 0;
	parts_add_region(p, PLAN_FIRMWARE, FW_IMAGE, firmware->data, firmware->size);
	parts_add_region(p, PLAN_ZERO, FW_SCRATCH, NULL, FW_SCRATCH_SIZE);
	parts_add_region(p, PLAN_HASH_PAGE, FW_HASH_PAGE, hash_page, FW_PAGE);
	parts_add_region(p, PLAN_CPUID_PAGE, FW_CPUID_PAGE, NULL, FW_PAGE);
	parts_add_region(p, PLAN_SECRETS_PAGE, FW_SECRETS_PAGE, NULL, FW_PAGE);
	return parts_add_staged(p, kernel, initrd, cmdline, e);
}

int snp_plan_build(const struct plain_input *in, uint64_t policy, struct plain_plan *out,
		   struct err *e)
{
	struct plan *p = &out->plan;

	if ((policy & PLAN_SNP_POLICY_ONE) == 0 || (policy & ~PLAN_SNP_POLICY_BITS) != 0)
		return err_set(e, EX_USAGE_ERROR,
			       "policy: 0x%llx: bit 17 must be one, bits 26 to 63 zero",
			       (unsigned long long)policy);
	int r = parts_check(in, FW_VARIANT_SNP, out, e);
	if (r < 0)
		return r;
	*p = (struct plan){ .max_cpus = in->max_cpus, .snp.policy = policy };
	r = lay_out(&out->image, &in->firmware, out->hash_page, &in->kernel, &in->initrd,
		    out->cmdline, in->any_cpus, p, e);
	return r < 0 ? r : parts_hash_page(in, FW_VARIANT_SNP, out, e);
}

static int same_start(const struct plan *a, const struct plan *b)
{
	return a->vcpu.rip == b->vcpu.rip && a->vcpu.rsp == b->vcpu.rsp &&
	       a->vcpu.cr3 == b->vcpu.cr3 && a->snp.ap_rip == b->snp.ap_rip &&
	       a->snp.cpus == b->snp.cpus && a->snp.sev_features == b->snp.sev_features &&
	       a->snp.c_bit == b->snp.c_bit;
}

int snp_plan_open(const char *object, const struct plan *plan, struct plain_contents *out,
		  struct err *e)
{
	struct plan made = { .max_cpus = plan->max_cpus };
	int r = parts_open(object, plan, PLAN_TEE_SNP, FW_VARIANT_SNP, out, e);

	if (r == 0)
		r = lay_out(&out->image, &out->firmware, out->hash_page.data, &out->kernel,
			    &out->initrd, out->cmdline, plan->snp.cpus == 0, &made, e);
	if (r < 0)
		return r;
	if (!parts_same_regions(&made, plan) || !same_start(&made, plan))
		return err_set(e, EX_MALFORMED,
			       "plan %s: its regions, their order or its start state are not those "
			       "of its firmware: make it again",
			       object);
	return 0;
}

void snp_id_block(const uint8_t ld[SNP_DIGEST_SIZE], uint64_t policy, uint32_t svn,
		  uint8_t out[SNP_ID_BLOCK_SIZE])
{
	struct writer w = writer_over(out, SNP_ID_BLOCK_SIZE);

	write_copy(&w, ld, SNP_DIGEST_SIZE);
	write_zeros(&w, 16 + 16); /* family and image ID */
	write_le32(&w, 1);	  /* version of the block */
	write_le32(&w, svn);
	write_le64(&w, policy);
}
