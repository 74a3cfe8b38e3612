#include "vmm/tee/tee.h"

#include "common/checked.h"
#include "vmm/vm.h"

const struct tee_ops *tee_find(enum plan_tee tee)
{
	return tee == PLAN_TEE_PLAIN ? &tee_plain : NULL;
}

/* All RAM but [0xA0000, 0x100000): memory is there, yet PC software expects ROMs, so nobody may
 * count on it. */
unsigned tee_ram_ranges(const struct vm *vm, struct fw_ram_range *out)
{
	const struct memory_region *low = &vm->memory.region[0];
	unsigned n = 0;

	out[n++] = (struct fw_ram_range){ 0, FW_LOW_RAM_END };
	out[n++] = (struct fw_ram_range){ FW_HIGH_RAM_BASE, low->size - FW_HIGH_RAM_BASE };
	for (unsigned i = 1; i < vm->memory.count; i++)
		out[n++] = (struct fw_ram_range){ vm->memory.region[i].gpa,
						  vm->memory.region[i].size };
	return n;
}

static int inside(const struct fw_ram_range *range, unsigned count, uint64_t gpa, uint64_t size)
{
	for (unsigned i = 0; i < count; i++) {
		if (gpa >= range[i].base && ck_range(gpa - range[i].base, size, range[i].size))
			return 1;
	}
	return 0;
}

int tee_check_plan(const struct vm *vm, const struct plan *p, struct err *e)
{
	struct fw_ram_range range[FW_BOOT_RAM_MAX];
	unsigned count = tee_ram_ranges(vm, range);

	if (vm->memory.size < p->min_ram)
		return err_set(e, EX_USAGE_ERROR, "memory: %llu bytes, but the plan demands %llu: "
			       "give more", (unsigned long long)vm->memory.size,
			       (unsigned long long)p->min_ram);
	if (vm->cpu_count > p->max_cpus)
		return err_set(e, EX_USAGE_ERROR, "cpus: %u, but the plan allows %u: give fewer",
			       vm->cpu_count, p->max_cpus);
	for (uint32_t i = 0; i < p->region_count; i++) {
		const struct plan_region *r = &p->region[i];

		if (!inside(range, count, r->gpa, r->size))
			return err_set(e, EX_MALFORMED, "plan: region %u at %#llx (%llu bytes) does "
				       "not lie in the guest's RAM: give more memory or another plan",
				       i, (unsigned long long)r->gpa, (unsigned long long)r->size);
	}
	return 0;
}
