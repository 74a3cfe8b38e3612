/* A plain guest: regions are copied into RAM, the first vCPU gets its start state by ioctl. */
#include "vmm/kvm/kvm.h"
#include "vmm/tee/tee.h"
#include "vmm/vm.h"

/* Pages KVM needs for itself on old Intel processors: inside the MMIO hole, where no device is. */
#define TSS_GPA          0xFFFBD000u
#define IDENTITY_MAP_GPA 0xFFFBC000u

#define CR0_START 0x80010031ull /* PG, WP, NE, ET, PE */
#define CR4_PAE   0x20ull
#define EFER_START 0xD00ull     /* LME, LMA, NXE: the image's page tables use NX */
#define RFLAGS_FIXED 0x2ull

static int plain_create_vm(struct vm *vm, const struct plan *p, const struct config *c,
			   struct err *e)
{
	int rc;

	(void)p;
	(void)c;
	rc = kvm_create_vm(vm->kvm_fd, &vm->vm_fd, e);
	if (rc == 0)
		rc = kvm_set_fixed_pages(vm->vm_fd, TSS_GPA, IDENTITY_MAP_GPA, e);
	if (rc == 0)
		rc = kvm_split_irqchip(vm->vm_fd, IOAPIC_PINS, e);
	for (unsigned i = 0; rc == 0 && i < vm->memory.count; i++) {
		const struct memory_region *r = &vm->memory.region[i];

		rc = kvm_set_memory(vm->vm_fd, i, r->gpa, r->size, r->host, e);
	}
	return rc;
}

static int load_region(struct vm *vm, const struct plan_region *r,
		       const struct fw_boot_block *block, struct err *e)
{
	const void *data = r->data;
	uint64_t size = r->size;

	if (r->type == PLAN_BOOT_BLOCK) {
		if (size < sizeof(*block))
			return err_set(e, EX_MALFORMED, "plan: boot block of %llu bytes is too "
				       "small", (unsigned long long)size);
		data = block;
		size = sizeof(*block);
	}
	if (gpa_write(&vm->memory, r->gpa, data, size) < 0)
		return err_set(e, EX_MALFORMED, "plan: region at %#llx does not lie in RAM",
			       (unsigned long long)r->gpa);
	return 0;
}

/* SDM vol. 3 §26.3.1.2: what a processor in 64-bit mode must look like to be entered. */
static int set_start_state(struct vm *vm, const struct plan_vcpu *start, struct err *e)
{
	const struct kvm_segment code = { .limit = 0xFFFFFFFF, .selector = 0x10, .type = 11,
					  .present = 1, .s = 1, .l = 1, .g = 1 };
	const struct kvm_segment data = { .limit = 0xFFFFFFFF, .selector = 0x18, .type = 3,
					  .present = 1, .db = 1, .s = 1, .g = 1 };
	struct kvm_regs regs = { .rip = start->rip, .rsp = start->rsp, .rflags = RFLAGS_FIXED };
	struct kvm_sregs sregs;
	int rc = kvm_get_sregs(vm->vcpu[0].fd, &sregs, e);

	if (rc < 0)
		return rc;
	sregs.cs = code;
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = data;
	sregs.tr = (struct kvm_segment){ .limit = 0x67, .type = 11, .present = 1 };
	sregs.ldt = (struct kvm_segment){ .unusable = 1 };
	sregs.gdt = sregs.idt = (struct kvm_dtable){ 0 };
	sregs.cr0 = CR0_START;
	sregs.cr3 = start->cr3;
	sregs.cr4 = CR4_PAE;
	sregs.efer = EFER_START;
	rc = kvm_set_sregs(vm->vcpu[0].fd, &sregs, e);
	if (rc == 0)
		rc = kvm_set_regs(vm->vcpu[0].fd, &regs, e);
	return rc;
}

static int plain_load(struct vm *vm, const struct plan *p, const struct fw_boot_block *block,
		      struct err *e)
{
	for (uint32_t i = 0; i < p->region_count; i++) {
		int rc = load_region(vm, &p->region[i], block, e);

		if (rc < 0)
			return rc;
	}
	return set_start_state(vm, &p->vcpu, e);
}

const struct tee_ops tee_plain = {
	.name = "plain",
	.create_vm = plain_create_vm,
	.load = plain_load,
};
