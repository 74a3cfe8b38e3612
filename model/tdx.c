/* vmm/kvm/tdx.h on the model: KVM's checks in KVM's order (Linux 6.16, arch/x86/kvm/vmx/tdx.c),
 * then what the module checks of itself, then the simulated module. Everything here happens before
 * sealing, in one thread. */
#include "model/td.h"

#include "model/real.h"
#include "model/tdx_client.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#define XFAM_BITS 0x6DBE7ull /* that the module knows */
#define XFAM_AVX  (1ull << 2)
#define XFAM_AVX512 (7ull << 5)
#define XFAM_CET  (3ull << 11)
#define XFAM_AMX  (3ull << 17)
#define TSC_UNIT_KHZ 25000u
#define TSC_UNITS_MIN 4u
#define TSC_UNITS_MAX 400u
#define APIC_BASE 0xFEE00000ull
#define APIC_BSP  (1ull << 8)
#define APIC_X2   (3ull << 10) /* enabled, x2APIC */
#define CHUNK 256u

static union kvm_cpuid_table shown;   /* what the module makes of INIT_VM's table */

/* What the module answered. Lost, it is as if it had shut down. */
static int module(int rc, uint64_t status, uint64_t *hw, const struct err *e)
{
	if (rc < 0) {
		model_log("%s", e->text);
		*hw = TDX_ST_SYS_SHUTDOWN;
		return -EIO;
	}
	*hw = status;
	if (status == TDX_ST_SUCCESS)
		return 0;
	return (status & ~0xFFFFFFFFull) == TDX_ST_OPERAND_BUSY ? -EBUSY : -EIO;
}

static bool is_ours(int vm_fd)
{
	return vm_fd == model.vm_fd && model.kind == &kind_tdx;
}

int tdx_create_vm(int kvm_fd, int *vm_fd)
{
	struct err e = { 0 };

	if (model.psp_fd < 0)
		return -EINVAL; /* no simulated module: a KVM without TDX */
	if (kvm_create_vm(kvm_fd, vm_fd, &e) < 0)
		return -EIO;
	model_take_vm(&kind_tdx, kvm_fd, *vm_fd);
	return 0;
}

int tdx_capabilities(int vm_fd, struct tdx_capabilities *c, uint64_t *hw)
{
	*hw = 0;
	if (!is_ours(vm_fd))
		return -ENOTTY;
	if (td_cpuid_capabilities(c) < 0)
		return -E2BIG;
	c->head.supported_attributes = TD_ATTRIBUTES;
	c->head.supported_xfam = TD_XFAM;
	c->head.kernel_tdvmcallinfo_1_r11 = 0;
	c->head.user_tdvmcallinfo_1_r11 = 1u << 1; /* SetupEventNotifyInterrupt */
	c->head.kernel_tdvmcallinfo_1_r12 = 0;
	c->head.user_tdvmcallinfo_1_r12 = 0;
	memset(c->head.reserved, 0, sizeof(c->head.reserved));
	c->head.padding = 0;
	return 0;
}

int tdx_get_tsc_khz(int vm_fd, uint64_t *khz)
{
	int answered;

	if (model.tsc_khz != 0) {
		*khz = model.tsc_khz;
		return 0;
	}
	answered = ioctl(vm_fd, KVM_GET_TSC_KHZ, 0);
	if (answered < 0)
		return -errno;
	*khz = (uint64_t)answered;
	return 0;
}

/* The plain VM below keeps the host's frequency: what the guest is told of it is CPUID's. */
int tdx_set_tsc_khz(int vm_fd, uint64_t khz)
{
	if (!is_ours(vm_fd))
		return -ENOTTY;
	if (khz > UINT32_MAX || model.inited)
		return -EINVAL;
	model.tsc_khz = khz;
	return 0;
}

/* ---- INIT_VM -------------------------------------------------------------------------------- */

static bool is_zero(const void *data, size_t size)
{
	const uint8_t *at = data;

	for (size_t i = 0; i < size; i++)
		if (at[i] != 0)
			return false;
	return true;
}

static int check_init(const struct tdx_init_vm *init, unsigned *gpaw, uint64_t *hw)
{
	const struct uapi_tdx_init_vm *h = &init->head;

	if (model.inited)
		return -EINVAL;
	if (h->nent > UAPI_TDX_CPUID_MAX)
		return -E2BIG;
	if (!is_zero(h->reserved, sizeof(h->reserved)) || h->padding != 0)
		return -EINVAL;
	if (model.vcpu_count > 0)
		return -EBUSY;
	if ((h->attributes & ~TD_ATTRIBUTES) != 0 || (h->xfam & ~TD_XFAM) != 0 ||
	    (h->xfam & TD_XFAM_FIXED) != TD_XFAM_FIXED)
		return -EINVAL;
	return td_cpuid_check(init, gpaw, hw);
}

static bool all_or_none(uint64_t value, uint64_t bits)
{
	return (value & bits) == 0 || (value & bits) == bits;
}

/* The module's own checks; CPUID's are td_cpuid_check's. */
static enum tdx_operand bad_operand(uint64_t xfam)
{
	uint64_t units = model.tsc_khz / TSC_UNIT_KHZ;

	if ((xfam & ~XFAM_BITS) != 0 || !all_or_none(xfam, XFAM_AVX512) ||
	    !all_or_none(xfam, XFAM_CET) || !all_or_none(xfam, XFAM_AMX) ||
	    ((xfam & XFAM_AVX512) != 0 && (xfam & XFAM_AVX) == 0))
		return TDX_OP_XFAM;
	if (units < TSC_UNITS_MIN || units > TSC_UNITS_MAX)
		return TDX_OP_TSC;
	return 0;
}

static int ask_module(const struct tdx_init_vm *init, unsigned gpaw, uint64_t *hw)
{
	const struct uapi_tdx_init_vm *h = &init->head;
	struct tdx_mng_init m = { .attributes = h->attributes, .xfam = h->xfam, .gpaw = gpaw,
				  .max_cpus = TD_CPUS_MAX };
	struct err e = { 0 };
	uint64_t status = 0;
	int rc;

	memcpy(m.mrconfigid, h->mrconfigid, sizeof(m.mrconfigid));
	memcpy(m.mrowner, h->mrowner, sizeof(m.mrowner));
	memcpy(m.mrownerconfig, h->mrownerconfig, sizeof(m.mrownerconfig));
	rc = tdx_mng_init(model.psp_fd, &m, &status, &e);
	if (rc == 0 && (status & ~0xFFFFFFFFull) == TDX_ST_OPERAND_INVALID) {
		*hw = status;
		return -EINVAL;
	}
	rc = module(rc, status, hw, &e);
	return rc < 0 && *hw == TDX_ST_NO_ENTROPY ? -EAGAIN : rc;
}

int tdx_init_vm(int vm_fd, struct tdx_init_vm *init, uint64_t *hw)
{
	unsigned gpaw = 0;
	uint64_t khz = 0;
	struct err e = { 0 };
	int rc;

	*hw = 0;
	if (!is_ours(vm_fd))
		return -ENOTTY;
	rc = check_init(init, &gpaw, hw);
	if (rc < 0)
		return rc;
	if (model.tsc_khz == 0 && tdx_get_tsc_khz(vm_fd, &khz) == 0)
		model.tsc_khz = khz;
	if (bad_operand(init->head.xfam) != 0) {
		*hw = TDX_ST_OPERAND_INVALID | bad_operand(init->head.xfam);
		return -EINVAL;
	}
	rc = ask_module(init, gpaw, hw);
	if (rc < 0)
		return rc;
	if (__real_kvm_supported_cpuid(model.kvm_fd, &shown, &e) < 0)
		return -EIO;
	td_cpuid_show(init, &shown);
	model.attributes = init->head.attributes;
	model.xfam = init->head.xfam;
	model.inited = true;
	return 0;
}

/* ---- vCPUs ---------------------------------------------------------------------------------- */

int td_enable_cap(uint32_t cap, uint64_t arg)
{
	if (cap != UAPI_CAP_APIC_BUS_CYCLES_NS)
		return 1;
	if (arg == 0)
		return -EINVAL;
	if (!model.irqchip)
		return -ENXIO;
	return model.vcpu_count > 0 ? -EINVAL : 0; /* the plain VM's timer counts as it does */
}

int td_create_vcpu(unsigned id)
{
	if (!model.inited || model.finished)
		return -EIO;
	return !model.irqchip || id >= TD_CPUS_MAX ? -EINVAL : 0;
}

void td_note_cpuid(struct model_vcpu *v, const union kvm_cpuid_table *t)
{
	for (uint32_t i = 0; i < t->head.nent && i < KVM_CPUID_MAX; i++) {
		const struct kvm_cpuid_entry2 *c = &t->head.entries[i];

		if (c->function == 1) {
			v->td.x2apic = (c->ecx >> 21 & 1) != 0;
			v->td.signature = c->eax;
		}
		if (c->function == 0x80000008)
			v->td.address_bits = c->eax & 0xFF;
	}
	if (v == &model.vcpu[0])
		td_cpuid = *t;
}

static struct model_vcpu *vcpu_of(int fd)
{
	for (unsigned i = 0; model.kind == &kind_tdx && i < model.vcpu_count; i++)
		if (model.vcpu[i].fd == fd)
			return &model.vcpu[i];
	return NULL;
}

static struct kvm_segment flat(uint8_t type)
{
	return (struct kvm_segment){ .limit = 0xFFFFFFFF, .type = type, .present = 1, .s = 1,
				     .db = 1, .g = 1 };
}

/* TDX Module ABI, "Initial State of Guest GPRs" and "Initial State of CRs": 32-bit flat protected
 * mode. CR4.VMXE, which a TD shows, is no matter of a plain VM. */
static int start_state(const struct model_vcpu *v, uint64_t rcx, struct err *e)
{
	const struct kvm_regs regs = { .rip = FW_RESET_VECTOR, .rflags = 2, .rbx = TDX_GPAW,
				       .rcx = rcx, .r8 = rcx, .rdx = v->td.signature,
				       .rsi = (uint64_t)(v - model.vcpu) };
	struct kvm_sregs sregs = {
		.cs = flat(0xB), .ds = flat(3), .es = flat(3), .fs = flat(3), .gs = flat(3),
		.ss = flat(3),
		.tr = { .limit = 0xFFFF, .type = 0xB, .present = 1 },
		.ldt = { .limit = 0xFFFF, .type = 2, .present = 1 },
		.gdt = { .limit = 0xFFFF }, .idt = { .limit = 0xFFFF },
		.cr0 = 0x21, .cr4 = 0x40, .efer = 0x901,
		.apic_base = APIC_BASE | APIC_X2 | (v == model.vcpu ? APIC_BSP : 0),
	};
	int rc = __real_kvm_set_sregs(v->fd, &sregs, e);

	return rc < 0 ? rc : __real_kvm_set_regs(v->fd, &regs, e);
}

int tdx_init_vcpu(int vcpu_fd, uint64_t rcx, uint64_t *hw)
{
	struct kvm_mp_state runnable = { .mp_state = KVM_MP_STATE_RUNNABLE };
	struct model_vcpu *v = vcpu_of(vcpu_fd);
	struct err e = { 0 };

	*hw = 0;
	if (!v)
		return -ENOTTY;
	if (!model.inited || model.finished || v->td.inited || !v->td.x2apic)
		return -EINVAL;
	/* No INIT or SIPI in a TD: all processors start together. */
	if (start_state(v, rcx, &e) < 0 || ioctl(v->fd, KVM_SET_MP_STATE, &runnable) < 0) {
		model_log("vCPU %u cannot start as in a trust domain: %s", v->id, e.text);
		return -EIO;
	}
	v->td.inited = true;
	return 0;
}

int tdx_get_cpuid(int vcpu_fd, union kvm_cpuid_table *table, uint64_t *hw)
{
	*hw = 0;
	if (!vcpu_of(vcpu_fd))
		return -ENOTTY;
	if (!model.inited || model.finished)
		return -EINVAL;
	if (table->head.nent < shown.head.nent) {
		table->head.nent = shown.head.nent;
		return -E2BIG;
	}
	*table = shown;
	return 0;
}

/* ---- memory --------------------------------------------------------------------------------- */

static int check_region(const struct model_vcpu *v, const struct uapi_tdx_mem_region *m)
{
	uint64_t end = m->gpa + m->nr_pages * PAGE_BYTES;

	if (!v->td.inited || model.finished)
		return -EINVAL;
	if ((m->source_addr | m->gpa) % PAGE_BYTES != 0 || m->source_addr == 0 ||
	    m->nr_pages == 0 || m->nr_pages > MODEL_S_BIT / PAGE_BYTES || end <= m->gpa ||
	    end > MODEL_S_BIT)
		return -EINVAL;
	return 0;
}

static int extend_page(uint64_t gpa, const uint8_t *data, uint64_t *hw)
{
	struct err e = { 0 };
	uint64_t status = 0;
	int rc = 0;

	for (uint64_t at = 0; rc == 0 && at < PAGE_BYTES; at += CHUNK) {
		rc = tdx_mr_extend(model.psp_fd, gpa + at, data + at, &status, &e);
		rc = module(rc, status, hw, &e);
	}
	return rc;
}

/* KVM adds and extends page by page (tdx_gmem_post_populate). */
static int add_page(const struct uapi_tdx_mem_region *m, int measure, uint64_t *hw)
{
	const uint8_t *source = (const uint8_t *)(uintptr_t)m->source_addr;
	struct model_region *r = model_region_of(m->gpa, PAGE_BYTES);
	struct err e = { 0 };
	uint64_t page, status = 0;
	uint8_t *to;
	int rc;

	if (!r)
		return -EINVAL;
	page = (m->gpa - r->gpa) / PAGE_BYTES;
	if ((r->pages.page[page] & PG_PRIVATE) == 0)
		return -EINVAL;
	if (!pages_can_launch(&r->pages, page)) {
		*hw = TDX_ST_ENTRY_STATE | TDX_OP_RCX;
		return -EIO;
	}
	rc = tdx_page_add(model.psp_fd, m->gpa, &status, &e);
	rc = module(rc, status, hw, &e);
	if (rc < 0)
		return rc;
	to = (uint8_t *)(uintptr_t)(r->view.private.host + (m->gpa - r->gpa));
	memcpy(to, source, PAGE_BYTES);
	pages_launch(&r->pages, page);
	return measure ? extend_page(m->gpa, to, hw) : 0;
}

int tdx_init_mem_region(int vcpu_fd, struct uapi_tdx_mem_region *m, int measure, uint64_t *hw)
{
	const struct model_vcpu *v = vcpu_of(vcpu_fd);
	int rc;

	*hw = 0;
	if (!v)
		return -ENOTTY;
	rc = check_region(v, m);
	while (rc == 0 && m->nr_pages > 0) {
		rc = add_page(m, measure, hw);
		if (rc < 0)
			break;
		m->source_addr += PAGE_BYTES;
		m->gpa += PAGE_BYTES;
		m->nr_pages--;
	}
	return rc;
}

int tdx_finalize_vm(int vm_fd, uint64_t *hw)
{
	struct err e = { 0 };
	uint64_t status = 0;
	int rc;

	*hw = 0;
	if (!is_ours(vm_fd))
		return -ENOTTY;
	if (!model.inited || model.finished)
		return -EINVAL;
	if (model.vcpu_count == 0) {
		*hw = TDX_ST_NO_VCPUS;
		return -EIO;
	}
	rc = tdx_mr_finalize(model.psp_fd, &status, &e);
	rc = module(rc, status, hw, &e);
	if (rc < 0)
		return rc;
	model.finished = true;
	rc = model_open_memory(); /* from here on the guest's accesses decide about slots */
	if (rc == 0)
		model_log("trust domain finalized, %u sites patched, %u vCPUs", model.site_count,
			  model.vcpu_count);
	return rc;
}
