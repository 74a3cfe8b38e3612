/* vmm/kvm/kvm.h as a host with SEV-SNP or TDX would answer it. A plain VM passes through
 * untouched. */
#include "model/td.h"
#include "model/real.h"
#include "vmm/config.h"
#include "common/kvm_uapi.h"

#include <errno.h>
#include <sys/mman.h>

#define LEAF_EXTENDED_MAX 0x80000000u
#define LEAF_ADDRESS      0x80000008u
#define LEAF_SEV          0x8000001Fu
#define MSR_PAT           0x277u
#define SNP_PHYS_BITS     52u /* the C-bit is bit 51, and KVM checks page tables against this */
#define TDX_PHYS_BITS     48u /* the S-bit is bit 47 */

/* AMD APM vol. 3 §E.4.17: SEV, SEV-ES, SEV-SNP; C-bit; ASIDs. */
#define SEV_EAX (1u << 1 | 1u << 3 | 1u << 4)
#define SEV_ASIDS 16u
/* EBX: a processor whose caches need no help after a change of page state. Without it the firmware
 * must touch every page, which takes a minute under emulation; its tests run both ways. */
#define SEV_COHERENCY_SFW_NO (1u << 31)

int __wrap_config_check_environment(const struct config *c, struct err *e)
{
	model.log_fd = c->log;
	return __real_config_check_environment(c, e);
}

int __wrap_kvm_check_cap(int kvm_fd, unsigned cap)
{
	int real = __real_kvm_check_cap(kvm_fd, cap);

	if (model.psp_fd < 0)
		return real;
	switch (cap) {
	case UAPI_CAP_VM_TYPES:
		/* No processor has both: the plan chooses which one this host is. */
		return real | 1 << UAPI_VM_TYPE_SNP | 1 << UAPI_VM_TYPE_TDX;
	case UAPI_CAP_GUEST_MEMFD:
		return 1;
	case UAPI_CAP_MEMORY_ATTRIBUTES:
		return (int)UAPI_ATTRIBUTE_PRIVATE;
	case UAPI_CAP_EXIT_HYPERCALL:
		return 1 << UAPI_HC_MAP_GPA_RANGE;
	case UAPI_CAP_APIC_BUS_CYCLES_NS:
		return 1;
	}
	return real;
}

static struct kvm_cpuid_entry2 *leaf(union kvm_cpuid_table *t, uint32_t function)
{
	for (uint32_t i = 0; i < t->head.nent && i < KVM_CPUID_MAX; i++)
		if (t->head.entries[i].function == function)
			return &t->head.entries[i];
	return NULL;
}

/* The host's own values, with the leaf an SEV-SNP host has. */
int __wrap_kvm_supported_cpuid(int kvm_fd, union kvm_cpuid_table *out, struct err *e)
{
	struct kvm_cpuid_entry2 *extended, *sev;
	int rc = __real_kvm_supported_cpuid(kvm_fd, out, e);

	if (rc < 0 || model.kind != &kind_snp)
		return rc;
	extended = leaf(out, LEAF_EXTENDED_MAX);
	sev = leaf(out, LEAF_SEV);
	if (!extended || (!sev && out->head.nent == KVM_CPUID_MAX))
		return err_set(e, EX_HOST, "platform model: this host's CPUID has no room for "
			       "leaf %x", LEAF_SEV);
	if (extended->eax < LEAF_SEV)
		extended->eax = LEAF_SEV;
	if (!sev)
		sev = &out->head.entries[out->head.nent++];
	*sev = (struct kvm_cpuid_entry2){ .function = LEAF_SEV, .eax = SEV_EAX,
					  .ebx = SEV_COHERENCY_SFW_NO | SNP_C_BIT,
					  .ecx = SEV_ASIDS, .edx = 1 };
	return 0;
}

/* On a confidential VM every slot has a guest_memfd: private_set_memory. */
int __wrap_kvm_set_memory(int vm_fd, uint32_t slot, uint64_t gpa, uint64_t size, uint64_t host,
			  struct err *e)
{
	if (vm_fd == model.vm_fd)
		return err_errno(e, EX_HOST, EINVAL, "kvm: KVM_SET_USER_MEMORY_REGION");
	return __real_kvm_set_memory(vm_fd, slot, gpa, size, host, e);
}

/* NULL: of a plain VM. */
static struct model_vcpu *vcpu_of(int fd)
{
	for (unsigned i = 0; i < model.vcpu_count; i++)
		if (model.vcpu[i].fd == fd)
			return &model.vcpu[i];
	return NULL;
}

int __wrap_kvm_split_irqchip(int vm_fd, unsigned pins, struct err *e)
{
	int rc = __real_kvm_split_irqchip(vm_fd, pins, e);

	if (rc == 0 && vm_fd == model.vm_fd)
		model.irqchip = true;
	return rc;
}

int __wrap_kvm_create_vcpu(int vm_fd, unsigned id, int *vcpu_fd, struct err *e)
{
	struct model_vcpu *v = &model.vcpu[model.vcpu_count];
	bool td = vm_fd == model.vm_fd && model.kind == &kind_tdx;
	size_t size = 0;
	void *run;
	int rc = td ? td_create_vcpu(id) : 0;

	if (rc < 0)
		return err_errno(e, EX_HOST, -rc, "kvm: KVM_CREATE_VCPU");
	rc = __real_kvm_create_vcpu(vm_fd, id, vcpu_fd, e);
	if (rc < 0 || vm_fd != model.vm_fd)
		return rc;
	if (model.vcpu_count == FW_BOOT_CPU_MAX)
		return err_set(e, EX_HOST, "platform model: more than %u vCPUs", FW_BOOT_CPU_MAX);
	rc = kvm_run_size(model.kvm_fd, &size, e);
	if (rc < 0)
		return rc;
	run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, *vcpu_fd, 0);
	if (run == MAP_FAILED)
		return err_errno(e, EX_HOST, errno, "platform model: cannot map a run area");
	v->fd = *vcpu_fd;
	v->id = id;
	v->run = run;
	v->run_size = size;
	v->protected = td; /* a trust domain's registers are never the VMM's */
	model.vcpu_count++;
	return 0;
}

/* CPUID cannot change after the first KVM_RUN, and what runs after the fold is a plain guest: the
 * processor itself never shows SEV. What the guest believes is in its CPUID page. */
int __wrap_kvm_set_cpuid(int vcpu_fd, union kvm_cpuid_table *table, struct err *e)
{
	static union kvm_cpuid_table shown; /* large; before GO there is one thread */
	struct model_vcpu *v = vcpu_of(vcpu_fd);
	struct kvm_cpuid_entry2 *address;

	if (!v)
		return __real_kvm_set_cpuid(vcpu_fd, table, e);
	shown.head.nent = 0;
	for (uint32_t i = 0; i < table->head.nent && i < KVM_CPUID_MAX; i++)
		if (table->head.entries[i].function != LEAF_SEV)
			shown.head.entries[shown.head.nent++] = table->head.entries[i];
	address = leaf(&shown, LEAF_ADDRESS);
	if (!address)
		return err_set(e, EX_HOST, "platform model: no CPUID leaf %x", LEAF_ADDRESS);
	if (model.kind == &kind_tdx)
		td_note_cpuid(v, table);
	address->eax = (address->eax & ~0xFFu) |
		       (model.kind == &kind_tdx ? TDX_PHYS_BITS : SNP_PHYS_BITS);
	v->has_cpuid = true;
	return __real_kvm_set_cpuid(vcpu_fd, &shown, e);
}

/* The registers are encrypted: after LAUNCH_FINISH, in a trust domain always. */
static int refuse(const struct model_vcpu *v, const char *name, struct err *e)
{
	return v && v->protected ? err_errno(e, EX_HOST, EINVAL, "kvm: %s", name) : 0;
}

int __wrap_kvm_set_msr(int vcpu_fd, uint32_t index, uint64_t value, struct err *e)
{
	struct model_vcpu *v = vcpu_of(vcpu_fd);
	int rc = refuse(v, "KVM_SET_MSRS", e);

	if (rc == 0 && v && index == MSR_PAT) {
		v->pat = value;
		v->has_pat = true;
	}
	return rc < 0 ? rc : __real_kvm_set_msr(vcpu_fd, index, value, e);
}

int __wrap_kvm_set_regs(int vcpu_fd, const struct kvm_regs *regs, struct err *e)
{
	struct model_vcpu *v = vcpu_of(vcpu_fd);
	int rc = refuse(v, "KVM_SET_REGS", e);

	if (rc < 0)
		return rc;
	if (v)
		v->regs = *regs;
	return __real_kvm_set_regs(vcpu_fd, regs, e);
}

int __wrap_kvm_set_sregs(int vcpu_fd, const struct kvm_sregs *sregs, struct err *e)
{
	struct model_vcpu *v = vcpu_of(vcpu_fd);
	int rc = refuse(v, "KVM_SET_SREGS", e);

	if (rc < 0)
		return rc;
	/* KVM takes the C-bit in CR3 only when CPUID names it. */
	if (v && !v->has_cpuid && (sregs->cr3 & MODEL_C_BIT) != 0)
		return err_errno(e, EX_HOST, EINVAL, "kvm: KVM_SET_SREGS");
	if (v)
		v->sregs = *sregs;
	return __real_kvm_set_sregs(vcpu_fd, sregs, e);
}

int __wrap_kvm_get_regs(int vcpu_fd, struct kvm_regs *regs, struct err *e)
{
	int rc = refuse(vcpu_of(vcpu_fd), "KVM_GET_REGS", e);

	return rc < 0 ? rc : __real_kvm_get_regs(vcpu_fd, regs, e);
}

int __wrap_kvm_get_sregs(int vcpu_fd, struct kvm_sregs *sregs, struct err *e)
{
	int rc = refuse(vcpu_of(vcpu_fd), "KVM_GET_SREGS", e);

	return rc < 0 ? rc : __real_kvm_get_sregs(vcpu_fd, sregs, e);
}

int __wrap_kvm_run_vcpu(int vcpu_fd)
{
	struct model_vcpu *v = vcpu_of(vcpu_fd);

	return v ? model_run_vcpu(v) : __real_kvm_run_vcpu(vcpu_fd);
}
