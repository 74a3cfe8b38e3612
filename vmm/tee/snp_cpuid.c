#include "vmm/tee/snp_cpuid.h"

#include "vmm/kvm/kvm.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Leaf 8000_001F (AMD APM vol. 3 §E.4.17) */
#define LEAF_SEV     0x8000001Fu
#define SEV_ACTIVE   (1u << 1 | 1u << 3 | 1u << 4) /* EAX: SEV, SEV-ES, SNP */
#define C_BIT_MASK   0x3Fu                         /* EBX[5:0] */
#define PHYS_AND_VMPL 0xFFC0u                      /* EBX[11:6], [15:12]: KVM has neither */

#define HYPERVISOR_LAST  0x4FFFFFFFu
#define HYPERVISOR_NEEDED 0x40000001u /* up to here Linux looks for KVM's own features */

#define XSAVE_LEGACY_SIZE 0x240u /* bytes: the area with x87 and SSE only, that of XCR0 = 1 */

/* Bits that KVM offers a plain guest by emulation, and which the security processor therefore
 * finds wrong or Linux could not use. QEMU, OpenVMM and libkrun clear the same. */
struct cleared {
	uint32_t leaf, subleaf;
	uint32_t eax, ebx, ecx, edx;
};

static const struct cleared cleared[] = {
	{ .leaf = 1, .ecx = 1u << 24 },                  /* TSC deadline timer */
	{ .leaf = 7, .ebx = 1u << 1, .edx = ~0u },       /* TSC_ADJUST; speculation controls */
	{ .leaf = 0x80000008, .ebx = 1u << 25 },         /* VIRT_SSBD */
	{ .leaf = 0x80000021, .eax = 1u << 9, .ecx = ~0u },
};

int snp_cpuid_mark(union kvm_cpuid_table *t, unsigned c_bit, struct err *e)
{
	for (uint32_t i = 0; i < t->head.nent && i < KVM_CPUID_MAX; i++) {
		struct kvm_cpuid_entry2 *c = &t->head.entries[i];

		if (c->function != LEAF_SEV)
			continue;
		if ((c->ebx & C_BIT_MASK) != c_bit)
			return err_set(e, EX_HOST, "kvm: this host's C-bit is bit %u, the plan was "
				       "made for bit %u: run it on another host",
				       c->ebx & C_BIT_MASK, c_bit);
		c->eax = SEV_ACTIVE;
		c->ebx &= ~PHYS_AND_VMPL;
		return 0;
	}
	return err_set(e, EX_HOST, "kvm: no CPUID leaf 8000001F: this host's KVM does not offer "
		       "SEV: load kvm_amd with sev=1 sev_es=1 sev_snp=1");
}

static struct snp_cpuid_entry entry_of(const struct kvm_cpuid_entry2 *c)
{
	struct snp_cpuid_entry out = {
		.leaf = c->function,
		.eax = c->eax, .ebx = c->ebx, .ecx = c->ecx, .edx = c->edx,
	};

	if ((c->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX) != 0)
		out.subleaf = c->index;
	for (size_t i = 0; i < sizeof(cleared) / sizeof(cleared[0]); i++) {
		if (cleared[i].leaf != out.leaf || cleared[i].subleaf != out.subleaf)
			continue;
		out.eax &= ~cleared[i].eax;
		out.ebx &= ~cleared[i].ebx;
		out.ecx &= ~cleared[i].ecx;
		out.edx &= ~cleared[i].edx;
	}
	/* Sizes depend on XCR0 and XSS; the guest computes its own from those of the start. */
	if (out.leaf == 0xD && out.subleaf <= 1) {
		out.ebx = XSAVE_LEGACY_SIZE;
		out.xcr0 = 1;
	}
	return out;
}

/* A leaf that is not in the page reads as zeros. */
static bool is_empty(const struct snp_cpuid_entry *x)
{
	return (x->eax | x->ebx | x->ecx | x->edx) == 0;
}

static bool is_optional(const struct snp_cpuid_entry *x)
{
	return x->leaf > HYPERVISOR_NEEDED && x->leaf <= HYPERVISOR_LAST;
}

/* Entries of a table, optional ones only if wanted; may count more than there is room for. */
static unsigned collect(const union kvm_cpuid_table *t, bool optional, struct snp_cpuid_page *out)
{
	unsigned count = 0;

	for (uint32_t i = 0; i < t->head.nent && i < KVM_CPUID_MAX; i++) {
		struct snp_cpuid_entry x = entry_of(&t->head.entries[i]);

		if (is_empty(&x) || (is_optional(&x) && !optional))
			continue;
		if (count < SNP_CPUID_ENTRIES_MAX)
			out->entry[count] = x;
		count++;
	}
	return count;
}

int snp_cpuid_fill(const union kvm_cpuid_table *t, struct snp_cpuid_page *out, struct err *e)
{
	unsigned count;

	memset(out, 0, sizeof(*out));
	count = collect(t, true, out);
	if (count > SNP_CPUID_ENTRIES_MAX) {
		memset(out, 0, sizeof(*out));
		count = collect(t, false, out);
	}
	if (count > SNP_CPUID_ENTRIES_MAX)
		return err_set(e, EX_HOST, "kvm: %u CPUID entries, but the CPUID page of an SNP "
			       "guest holds %u: report it with the kernel's version", count,
			       SNP_CPUID_ENTRIES_MAX);
	out->count = count;
	return 0;
}

static uint64_t field_of(const struct snp_cpuid_entry *x, unsigned field)
{
	const uint64_t value[SNP_CPUID_FIELDS] = { x->eax, x->ebx, x->ecx, x->edx, x->leaf,
						   x->subleaf, x->xcr0, x->xss, x->reserved };

	return value[field];
}

int snp_cpuid_difference(const struct snp_cpuid_page *before, const struct snp_cpuid_page *after,
			 unsigned index, unsigned field, char *text, size_t size)
{
	static const char *const name[SNP_CPUID_FIELDS] = {
		"EAX", "EBX", "ECX", "EDX", "leaf", "sub-leaf", "XCR0", "XSS", "reserved field"
	};
	const struct snp_cpuid_entry *b;
	uint64_t was, is;

	if (index >= SNP_CPUID_ENTRIES_MAX || field >= SNP_CPUID_FIELDS)
		return 0;
	b = &before->entry[index];
	was = field_of(b, field);
	is = field_of(&after->entry[index], field);
	if (was == is)
		return 0;
	snprintf(text, size, "CPUID %x.%x %s: the firmware wants %08llx, not %08llx", b->leaf,
		 b->subleaf, name[field], (unsigned long long)is, (unsigned long long)was);
	return 1;
}
