#include "vmm/tee/tee.h"

#include "common/checked.h"
#include "vmm/config.h"
#include "vmm/vm.h"

const struct tee_ops *tee_find(enum plan_tee tee)
{
	switch (tee) {
	case PLAN_TEE_PLAIN: return &tee_plain;
	case PLAN_TEE_SNP:   return &tee_snp;
	case PLAN_TEE_TDX:   return &tee_tdx;
	}
	return NULL;
}

int tee_check_config(enum plan_tee tee, const struct config *c, struct err *e)
{
	bool snp_only = c->sev >= 0 || c->id_block >= 0 || c->certs >= 0 ||
			c->has_host_data;
	bool tdx_only = c->quote >= 0 || c->has_mr;

	if (tee != PLAN_TEE_SNP && snp_only)
		return err_set(e, EX_USAGE_ERROR, "plan: not for an SEV-SNP guest, which alone "
			       "takes sev=, host_data=, id_block=, id_auth= and certs=");
	if (tee != PLAN_TEE_TDX && tdx_only)
		return err_set(e, EX_USAGE_ERROR, "plan: not for a trust domain, which alone takes "
			       "quote=, mrconfigid=, mrowner= and mrownerconfig=");
	if (tee == PLAN_TEE_PLAIN && c->psp >= 0)
		return err_set(e, EX_USAGE_ERROR, "plan: for a plain guest, which takes no psp=");
	return 0;
}

/* The boot block leaves out [0xA0000, 0x100000): memory is there, yet PC software expects ROMs. */
static bool is_offered(const struct fw_boot_block *block, uint64_t gpa, uint64_t size)
{
	for (uint32_t i = 0; i < block->ram_count && i < FW_BOOT_RAM_MAX; i++) {
		const struct fw_ram_range *r = &block->ram[i];

		if (gpa >= r->base && ck_range(gpa - r->base, size, r->size))
			return true;
	}
	return false;
}

int tee_check_plan(const struct vm *vm, const struct plan *p, const struct fw_boot_block *block,
		   struct err *e)
{
	if (vm->memory.size < p->min_ram)
		return err_set(e, EX_USAGE_ERROR, "memory: %llu bytes, but the plan demands %llu: "
			       "give more", (unsigned long long)vm->memory.size,
			       (unsigned long long)p->min_ram);
	if (vm->cpu_count > p->max_cpus)
		return err_set(e, EX_USAGE_ERROR, "cpus: %u, but the plan allows %u: give fewer",
			       vm->cpu_count, p->max_cpus);
	/* Zero leaves the number open: the digest then says how many there were. */
	if (p->tee == PLAN_TEE_SNP && p->snp.cpus != 0 && vm->cpu_count != p->snp.cpus)
		return err_set(e, EX_USAGE_ERROR, "cpus: %u, but the plan's measurement covers %u: "
			       "give that many, or measure again with --cpus %u",
			       vm->cpu_count, p->snp.cpus, vm->cpu_count);
	for (uint32_t i = 0; i < p->region_count; i++) {
		const struct plan_region *r = &p->region[i];

		if (p->tee == PLAN_TEE_TDX && r->type == PLAN_RESET_PAGE &&
		    r->gpa == FW_RESET_PAGE && r->size == FW_PAGE)
			continue;
		if (!is_offered(block, r->gpa, r->size))
			return err_set(e, EX_MALFORMED, "plan: region %u at %#llx (%llu bytes) "
				       "does not lie in the guest's RAM: give more memory or "
				       "another plan", i, (unsigned long long)r->gpa,
				       (unsigned long long)r->size);
	}
	return 0;
}
