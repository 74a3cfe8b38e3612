/* Which CPUID bits a VMM may configure, as module 1.5 has it and KVM passes it on: without the
 * bits that KVM takes out (TSX, WAITPKG), with the width of guest-physical addresses, which KVM
 * takes for itself (Linux 6.16, arch/x86/kvm/vmx/tdx.c). */
#include "model/td.h"

#include <errno.h>
#include <string.h>

#define INDEXED KVM_CPUID_FLAG_SIGNIFCANT_INDEX
#define LEAF_ADDRESS 0x80000008u
#define GPAW_SHIFT 16u
#define GPAW_MASK  0xFFu
#define TSX_EBX     (1u << 4 | 1u << 11) /* leaf 7: HLE, RTM */
#define WAITPKG_ECX (1u << 5)

static const struct kvm_cpuid_entry2 configurable[] = {
	{ .function = 1, .eax = 0x0FFF3FFF, .ebx = 0x00FF0000, .ecx = 0x31044D88,
	  .edx = 0xB8440000 },
	{ .function = 4, .index = 0, .flags = INDEXED, .eax = 0xFFFFC3FF, .ebx = ~0u, .ecx = ~0u,
	  .edx = 7 },
	{ .function = 4, .index = 1, .flags = INDEXED, .eax = 0xFFFFC3FF, .ebx = ~0u, .ecx = ~0u,
	  .edx = 7 },
	{ .function = 4, .index = 2, .flags = INDEXED, .eax = 0xFFFFC3FF, .ebx = ~0u, .ecx = ~0u,
	  .edx = 7 },
	{ .function = 4, .index = 3, .flags = INDEXED, .eax = 0xFFFFC3FF, .ebx = ~0u, .ecx = ~0u,
	  .edx = 7 },
	{ .function = 7, .index = 0, .flags = INDEXED, .ebx = 0xDC2B9B18 & ~TSX_EBX,
	  .ecx = 0x02417F65 & ~WAITPKG_ECX, .edx = 0x0005411C },
	{ .function = 7, .index = 1, .flags = INDEXED, .eax = 0x1D30 },
	{ .function = 7, .index = 2, .flags = INDEXED, .edx = 0x28 },
	{ .function = 0xA, .eax = ~0u, .ebx = 0xFF, .ecx = ~0u, .edx = 0x9FFF },
	{ .function = 0x1C, .index = 0, .flags = INDEXED, .eax = 0xFF },
	{ .function = 0x23, .index = 0, .flags = INDEXED, .eax = 0xF },
	{ .function = LEAF_ADDRESS, .eax = GPAW_MASK << GPAW_SHIFT | 0xFF, .ebx = 0x200 },
};
#define CONFIGURABLE (sizeof(configurable) / sizeof(configurable[0]))

int td_cpuid_capabilities(struct tdx_capabilities *c)
{
	if (c->head.nent < CONFIGURABLE)
		return -E2BIG; /* and KVM does not say how many there are */
	memcpy(c->cpuid, configurable, sizeof(configurable));
	c->head.nent = CONFIGURABLE;
	return 0;
}

static const struct kvm_cpuid_entry2 *find(const struct kvm_cpuid_entry2 *table, uint32_t count,
					   uint32_t function, uint32_t index)
{
	for (uint32_t i = 0; i < count; i++)
		if (table[i].function == function &&
		    ((table[i].flags & INDEXED) == 0 || table[i].index == index))
			return &table[i];
	return NULL;
}

static bool is_unsupported(const struct kvm_cpuid_entry2 *c)
{
	return c->function == 7 && c->index == 0 &&
	       ((c->ebx & TSX_EBX) != 0 || (c->ecx & WAITPKG_ECX) != 0);
}

static bool exceeds(const struct kvm_cpuid_entry2 *c, const struct kvm_cpuid_entry2 *mask)
{
	return (c->eax & ~mask->eax) != 0 || (c->ebx & ~mask->ebx) != 0 ||
	       (c->ecx & ~mask->ecx) != 0 || (c->edx & ~mask->edx) != 0;
}

int td_cpuid_check(const struct tdx_init_vm *init, unsigned *gpaw, uint64_t *hw)
{
	const uint32_t count = init->head.nent;
	const struct kvm_cpuid_entry2 *address = find(init->cpuid, count, LEAF_ADDRESS, 0);
	uint32_t found = 0;
	bool bad = false;

	if (!address)
		return -EINVAL;
	*gpaw = address->eax >> GPAW_SHIFT & GPAW_MASK;
	if (*gpaw != 48) /* 52 needs a host with 5 levels of EPT, which this one is not */
		return -EINVAL;
	for (size_t i = 0; i < CONFIGURABLE; i++) {
		const struct kvm_cpuid_entry2 *c = find(init->cpuid, count,
							configurable[i].function,
							configurable[i].index);

		if (!c)
			continue;
		if (is_unsupported(c))
			return -EINVAL;
		bad = bad || exceeds(c, &configurable[i]);
		found++;
	}
	if (found != count)
		return -EINVAL; /* a leaf that nobody can configure */
	if (!bad)
		return 0;
	*hw = TDX_ST_OPERAND_INVALID | TDX_OP_CPUID;
	return -EINVAL;
}

static uint32_t mix(uint32_t host, uint32_t wanted, uint32_t mask)
{
	return (host & ~mask) | (wanted & mask);
}

void td_cpuid_show(const struct tdx_init_vm *init, union kvm_cpuid_table *t)
{
	for (size_t i = 0; i < CONFIGURABLE; i++) {
		const struct kvm_cpuid_entry2 *mask = &configurable[i], *wanted, none = { 0 };
		struct kvm_cpuid_entry2 *shown = (struct kvm_cpuid_entry2 *)(uintptr_t)
			find(t->head.entries, t->head.nent, mask->function, mask->index);

		if (!shown)
			continue;
		wanted = find(init->cpuid, init->head.nent, mask->function, mask->index);
		wanted = wanted ? wanted : &none;
		shown->eax = mix(shown->eax, wanted->eax, mask->eax);
		shown->ebx = mix(shown->ebx, wanted->ebx, mask->ebx);
		shown->ecx = mix(shown->ecx, wanted->ecx, mask->ecx);
		shown->edx = mix(shown->edx, wanted->edx, mask->edx);
	}
}
