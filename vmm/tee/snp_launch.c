#include "vmm/tee/snp_launch.h"

#include "common/start_state.h"
#include "vmm/kvm/kvm.h"
#include "vmm/kvm/sev.h"
#include "vmm/tee/launch.h"
#include "vmm/tee/private_memory.h"
#include "vmm/tee/snp.h"
#include "vmm/tee/snp_cpuid.h"
#include "vmm/tee/snp_errors.h"
#include "vmm/vm.h"

#include <errno.h>
#include <string.h>

#define MSR_PAT 0x277u

#define AGAIN_MAX   1000u /* EAGAIN and EINTR: the kernel asks to come again */
#define UNKNOWN_MAX 3u    /* EIO without a word of the firmware: a signal may look like that */

static _Alignas(4096) const uint8_t zero_page[4096];

struct update {
	struct vm *vm;
	struct uapi_snp_update u; /* what is left to do */
	uint32_t fw;
	unsigned again, unknown;
};

/* Do the pages that are left still fulfil what the kernel demands? They are private, inside RAM;
 * the plan's regions do not overlap, so none was added before. */
static bool is_sound(const struct update *x)
{
	for (uint64_t done = 0; done < x->u.len; done += PRIVATE_PAGE) {
		uint64_t gpa = x->u.gfn_start * PRIVATE_PAGE + done;

		if (!gpa_is_ram(&x->vm->memory, gpa, PRIVATE_PAGE) ||
		    private_memory_is_shared(&x->vm->private_memory, gpa))
			return false;
	}
	return true;
}

/* Answers an error of LAUNCH_UPDATE: may it be tried again? */
static bool may_retry(struct update *x, int rc)
{
	if (rc == -EAGAIN || rc == -EINTR)
		return ++x->again <= AGAIN_MAX;
	if (rc == -EIO && x->fw == 0)
		return ++x->unknown <= UNKNOWN_MAX && is_sound(x);
	return false;
}

/* One range of pages. The kernel may do part of it and call that a success. 0, or a negative errno
 * with the firmware's code in x->fw. */
static int update_pages(struct update *x)
{
	while (x->u.len > 0) {
		uint64_t before = x->u.len;
		int rc = sev_launch_update(x->vm->vm_fd, x->vm->snp.sev_fd, &x->u, &x->fw);

		if (x->u.len > before || x->u.len % PRIVATE_PAGE != 0)
			return -EPROTO; /* no kernel does that */
		x->vm->pages_added += (before - x->u.len) / PRIVATE_PAGE;
		if (x->u.len < before)
			x->again = x->unknown = 0;
		else if (rc == 0)
			return -EPROTO;
		if (rc < 0 && !may_retry(x, rc))
			return rc;
	}
	return 0;
}

static struct update update_of(struct vm *vm, const struct plan_region *r, uint8_t type,
			       const void *source)
{
	return (struct update){ .vm = vm, .u = {
		.gfn_start = r->gpa / PRIVATE_PAGE,
		.uaddr = (uint64_t)(uintptr_t)source,
		.len = (r->size + PRIVATE_PAGE - 1) & ~(PRIVATE_PAGE - 1),
		.type = type,
	} };
}

static int add(struct vm *vm, const struct plan_region *r, uint8_t type, const void *source,
	       struct err *e)
{
	struct update x = update_of(vm, r, type, source);
	int rc = update_pages(&x);

	return rc < 0 ? snp_error(SNP_LAUNCH_UPDATE, rc, x.fw, e) : 0;
}

static void log_differences(struct vm *vm, const struct snp_cpuid_page *before,
			    const struct snp_cpuid_page *after)
{
	char text[160];

	for (unsigned i = 0; i < SNP_CPUID_ENTRIES_MAX; i++)
		for (unsigned f = 0; f < SNP_CPUID_FIELDS; f++)
			if (snp_cpuid_difference(before, after, i, f, text, sizeof(text)))
				vm_log(vm, "%s", text);
}

/* The firmware corrects what it refuses and hands the page back. Its values are what the hardware
 * has, the digest does not cover them: take them, say so, try once more. */
static int add_cpuid_page(struct vm *vm, const struct plan_region *r, struct err *e)
{
	static struct snp_cpuid_page before; /* large */
	struct snp *s = &vm->snp;
	struct update x = update_of(vm, r, UAPI_SNP_PAGE_CPUID, s->cpuid_page);
	int rc;

	memcpy(&before, s->cpuid_page, sizeof(before));
	rc = update_pages(&x);
	if (rc == -EIO && x.fw == 0x16 && memcmp(&before, s->cpuid_page, sizeof(before)) != 0) {
		vm_log(vm, "the firmware corrected the CPUID page:");
		log_differences(vm, &before, (const struct snp_cpuid_page *)s->cpuid_page);
		x = update_of(vm, r, UAPI_SNP_PAGE_CPUID, s->cpuid_page);
		rc = update_pages(&x);
	}
	return rc < 0 ? snp_error(SNP_LAUNCH_UPDATE, rc, x.fw, e) : 0;
}

static int load_region(struct vm *vm, const struct plan_region *r,
		       const struct fw_boot_block *block, struct err *e)
{
	switch (r->type) {
	case PLAN_FIRMWARE:
	case PLAN_HASH_PAGE:
		return add(vm, r, UAPI_SNP_PAGE_NORMAL, r->data, e);
	case PLAN_ZERO:
		return add(vm, r, UAPI_SNP_PAGE_ZERO, NULL, e);
	case PLAN_SECRETS_PAGE: /* written by the firmware, yet the kernel wants a source */
		return add(vm, r, UAPI_SNP_PAGE_SECRETS, zero_page, e);
	case PLAN_CPUID_PAGE:
		return add_cpuid_page(vm, r, e);
	case PLAN_BOOT_BLOCK:
	case PLAN_KERNEL:
	case PLAN_INITRD:
	case PLAN_CMDLINE:
		return launch_stage(vm, r, block, e);
	case PLAN_RESET_PAGE: /* of trust domains alone: plan_parse refuses them here */
	case PLAN_MAILBOX:
		break;
	}
	return err_set(e, EX_INTERNAL, "plan: region type %d is not SEV-SNP's", (int)r->type);
}

/* AMD APM vol. 2 §15.5.1: the packing of a VMCB segment's attributes. */
static struct kvm_segment segment_of(const struct start_segment *s)
{
	return (struct kvm_segment){
		.base = s->base,
		.limit = s->limit,
		.selector = s->selector,
		.type = s->attributes & 0xF,
		.s = s->attributes >> 4 & 1,
		.dpl = s->attributes >> 5 & 3,
		.present = s->attributes >> 7 & 1,
		.avl = s->attributes >> 8 & 1,
		.l = s->attributes >> 9 & 1,
		.db = s->attributes >> 10 & 1,
		.g = s->attributes >> 11 & 1,
	};
}

static struct kvm_dtable table_of(const struct start_segment *s)
{
	return (struct kvm_dtable){ .base = s->base, .limit = (uint16_t)s->limit };
}

/* What is not set here (XCR0, debug registers, x87) a new vCPU has: SDM vol. 3 table 9-1. */
static int set_start_state(const struct vcpu *v, const struct plan *p, struct err *e)
{
	struct start_state st;
	struct kvm_regs regs = { 0 };
	struct kvm_sregs sregs;
	int rc = kvm_get_sregs(v->fd, &sregs, e);

	if (rc < 0)
		return rc;
	start_state_of(p, v->index, &st);
	sregs.cs = segment_of(&st.cs);
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = segment_of(&st.data);
	sregs.tr = segment_of(&st.tr);
	sregs.ldt = segment_of(&st.ldtr);
	sregs.gdt = table_of(&st.gdtr);
	sregs.idt = table_of(&st.idtr);
	sregs.cr0 = st.cr0;
	sregs.cr2 = 0;
	sregs.cr3 = st.cr3;
	sregs.cr4 = st.cr4;
	sregs.efer = st.efer;
	regs.rip = st.rip;
	regs.rsp = st.rsp;
	regs.rflags = st.rflags;
	rc = kvm_set_sregs(v->fd, &sregs, e);
	if (rc == 0)
		rc = kvm_set_regs(v->fd, &regs, e);
	if (rc == 0)
		rc = kvm_set_msr(v->fd, MSR_PAT, st.pat, e);
	return rc;
}

/* Measures every vCPU as it is now; from here on its registers are out of reach. */
static int finish(struct vm *vm, struct err *e)
{
	struct snp *s = &vm->snp;
	struct uapi_snp_finish f = { 0 };
	uint32_t fw = 0;
	int rc;

	memcpy(f.host_data, s->host_data, sizeof(f.host_data));
	if (s->has_id) {
		uint32_t author_algorithm;

		memcpy(&author_algorithm, s->id_auth + 4, sizeof(author_algorithm));
		f.id_block_en = 1;
		f.id_block_uaddr = (uint64_t)(uintptr_t)s->id_block;
		f.id_auth_uaddr = (uint64_t)(uintptr_t)s->id_auth;
		f.auth_key_en = author_algorithm != 0;
	}
	rc = sev_launch_finish(vm->vm_fd, s->sev_fd, &f, &fw);
	return rc < 0 ? snp_error(SNP_LAUNCH_FINISH, rc, fw, e) : 0;
}

static int execute(struct vm *vm, const struct plan *p, const struct fw_boot_block *block,
		   struct err *e)
{
	struct snp *s = &vm->snp;
	uint32_t fw = 0;
	int rc = sev_launch_start(vm->vm_fd, s->sev_fd, p->snp.policy, &fw);

	if (rc < 0)
		return snp_error(SNP_LAUNCH_START, rc, fw, e);
	for (uint32_t i = 0; rc == 0 && i < p->region_count; i++)
		rc = load_region(vm, &p->region[i], block, e);
	for (unsigned i = 0; rc == 0 && i < vm->cpu_count; i++)
		rc = set_start_state(&vm->vcpu[i], p, e);
	return rc < 0 ? rc : finish(vm, e);
}

int snp_launch(struct vm *vm, const struct plan *p, const struct fw_boot_block *block,
	       struct err *e)
{
	if (plan_find(p, PLAN_CPUID_PAGE) && !vm->snp.cpuid_ready)
		return err_set(e, EX_INTERNAL, "snp: launch without a vCPU's CPUID");
	return launch_undisturbed(execute, vm, p, block, e);
}
