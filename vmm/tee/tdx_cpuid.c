#include "vmm/tee/tdx_cpuid.h"

#include "vmm/kvm/kvm.h"
#include "vmm/kvm/tdx.h"

#include <stdio.h>

#define LEAF_FEATURES  1u
#define X2APIC         (1u << 21)          /* ECX */
#define LEAF_EXTENDED  7u
#define HLE_RTM        (1u << 4 | 1u << 11) /* EBX */
#define WAITPKG        (1u << 5)           /* ECX */
#define LEAF_ADDRESSES 0x80000008u
#define PHYS_BITS      0xFFu               /* EAX[7:0] */
#define GUEST_BITS     0xFF0000u           /* EAX[23:16]: KVM's word for GPAW */
#define GUEST_SHIFT    16

static const struct kvm_cpuid_entry2 *find(const struct kvm_cpuid_entry2 *entry, uint32_t count,
					   const struct kvm_cpuid_entry2 *like)
{
	for (uint32_t i = 0; i < count; i++) {
		const struct kvm_cpuid_entry2 *c = &entry[i];

		if (c->function == like->function &&
		    ((c->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX) == 0 || c->index == like->index))
			return c;
	}
	return NULL;
}

static uint32_t entries_of(const union kvm_cpuid_table *t)
{
	return t->head.nent < KVM_CPUID_MAX ? t->head.nent : KVM_CPUID_MAX;
}

/* intel-tdx.rst, KVM_TDX_INIT_VM: bits that may not be chosen are the module's to set, and make
 * KVM refuse all. */
static struct kvm_cpuid_entry2 chosen(const struct kvm_cpuid_entry2 *mask,
				      const struct kvm_cpuid_entry2 *supported, unsigned gpaw)
{
	struct kvm_cpuid_entry2 out = { .function = mask->function, .index = mask->index,
					.flags = mask->flags };

	if (supported) {
		out.eax = supported->eax & mask->eax;
		out.ebx = supported->ebx & mask->ebx;
		out.ecx = supported->ecx & mask->ecx;
		out.edx = supported->edx & mask->edx;
	}
	if (out.function == LEAF_EXTENDED && out.index == 0) {
		out.ebx &= ~HLE_RTM;
		out.ecx &= ~WAITPKG;
	}
	if (out.function == LEAF_ADDRESSES) {
		out.eax = (out.eax & ~(PHYS_BITS | GUEST_BITS)) | gpaw << GUEST_SHIFT;
		if ((mask->eax & PHYS_BITS) == PHYS_BITS)
			out.eax |= gpaw;
	}
	return out;
}

int tdx_cpuid_choose(const struct tdx_capabilities *caps, const union kvm_cpuid_table *supported,
		     unsigned gpaw, struct tdx_init_vm *init, struct err *e)
{
	const struct kvm_cpuid_entry2 addresses = { .function = LEAF_ADDRESSES };

	if (caps->head.nent > UAPI_TDX_CPUID_MAX)
		return err_set(e, EX_HOST, "KVM_TDX_CAPABILITIES: %u CPUID leaves, at most %u: "
			       "report it with the kernel's version", caps->head.nent,
			       UAPI_TDX_CPUID_MAX);
	if (!find(caps->cpuid, caps->head.nent, &addresses))
		return err_set(e, EX_HOST, "KVM_TDX_CAPABILITIES: the width of guest addresses "
			       "cannot be chosen: use mainline Linux 6.16 or newer");
	for (uint32_t i = 0; i < caps->head.nent; i++)
		init->cpuid[i] = chosen(&caps->cpuid[i],
					find(supported->head.entries, entries_of(supported),
					     &caps->cpuid[i]), gpaw);
	init->head.nent = caps->head.nent;
	return 0;
}

int tdx_cpuid_mark(union kvm_cpuid_table *t, unsigned gpaw, struct err *e)
{
	unsigned found = 0;

	for (uint32_t i = 0; i < entries_of(t); i++) {
		struct kvm_cpuid_entry2 *c = &t->head.entries[i];

		if (c->function == LEAF_FEATURES) {
			c->ecx |= X2APIC;
			found |= 1;
		} else if (c->function == LEAF_ADDRESSES) {
			c->eax = (c->eax & ~(PHYS_BITS | GUEST_BITS)) | gpaw | gpaw << GUEST_SHIFT;
			found |= 2;
		}
	}
	if (found != 3)
		return err_set(e, EX_HOST, "kvm: no CPUID leaf %#x: use another host",
			       (found & 1) == 0 ? LEAF_FEATURES : LEAF_ADDRESSES);
	return 0;
}

static uint32_t reg_of(const struct kvm_cpuid_entry2 *c, unsigned reg)
{
	const uint32_t value[4] = { c->eax, c->ebx, c->ecx, c->edx };

	return value[reg % 4];
}

int tdx_cpuid_difference(const struct tdx_init_vm *init, const struct tdx_capabilities *caps,
			 const union kvm_cpuid_table *shown, unsigned index, unsigned reg,
			 char *text, size_t size)
{
	static const char *const name[4] = { "EAX", "EBX", "ECX", "EDX" };
	const struct kvm_cpuid_entry2 *asked, *got;
	uint32_t mask, a, g;

	if (index >= init->head.nent || index >= caps->head.nent)
		return 0;
	asked = &init->cpuid[index];
	got = find(shown->head.entries, entries_of(shown), asked);
	mask = reg_of(&caps->cpuid[index], reg);
	a = reg_of(asked, reg) & mask;
	g = got ? reg_of(got, reg) & mask : 0; /* a leaf that is not shown reads as zeros */
	if (a == g)
		return 0;
	snprintf(text, size, "CPUID %x.%x %s: the module shows %08x, not %08x", asked->function,
		 asked->index, name[reg % 4], g, a);
	return 1;
}

int tdx_cpuid_check(const union kvm_cpuid_table *shown, unsigned gpaw, struct err *e)
{
	const struct kvm_cpuid_entry2 features = { .function = LEAF_FEATURES };
	const struct kvm_cpuid_entry2 addresses = { .function = LEAF_ADDRESSES };
	const struct kvm_cpuid_entry2 *f = find(shown->head.entries, entries_of(shown), &features);
	const struct kvm_cpuid_entry2 *a = find(shown->head.entries, entries_of(shown), &addresses);
	unsigned guest_bits = a ? (a->eax & GUEST_BITS) >> GUEST_SHIFT : 0;

	if (guest_bits != 0 && guest_bits != gpaw)
		return err_set(e, EX_HOST, "KVM_TDX_GET_CPUID: guest addresses of %u bits, asked "
			       "for %u: use another host", guest_bits, gpaw);
	if (f && (f->ecx & X2APIC) == 0)
		return err_set(e, EX_HOST, "KVM_TDX_GET_CPUID: the trust domain has no x2APIC: "
			       "report it with the version of the TDX module");
	return 0;
}
