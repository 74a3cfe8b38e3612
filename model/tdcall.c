/* TDCALL of a trust domain's image, as the module answers it (Intel TDX Module ABI, "Guest-Side
 * (TDCALL) Interface Functions"), and what of a TD the common exits ask for. */
#include "model/td.h"

#include "model/real.h"
#include "model/sept.h"
#include "model/tdx_client.h"

#include <errno.h>
#include <string.h>
#include <sys/poll.h>

enum td_leaf {
	TDG_VP_VMCALL = 0,
	TDG_VP_INFO = 1,
	TDG_MR_RTMR_EXTEND = 2,
	TDG_VP_VEINFO_GET = 3,
	TDG_MR_REPORT = 4,
	TDG_MEM_PAGE_ACCEPT = 6,
	TDG_VM_RD = 7,
	TDG_VM_WR = 8,
};

#define LEVEL_MASK 7ull
#define ACCEPT_RESERVED 0xFF8ull /* bits of RCX between level and page */
#define RTMR_COUNT 4u
#define RTMR_DATA_SIZE 48u
#define RTMR_DATA_ALIGN 64u
#define REPORT_DATA_SIZE 64u
#define WAIT_NS 10000000 /* 10 ms */

/* Metadata fields (TDX Module ABI, "TD-Scope Metadata"). */
#define TDCS_CONFIG_FLAGS 0x1110000300000016ull
#define TDCS_TD_CTLS      0x1110000300000017ull
#define TD_CTLS_PENDING_VE_DISABLE 1ull

union kvm_cpuid_table td_cpuid;

int td_kill(const struct model_vcpu *v, const char *what, uint64_t where)
{
	model_log("vCPU %u: %s %#llx: KVM gives the trust domain up", v->id, what,
		  (unsigned long long)where);
	model.dead = true;
	return -EIO;
}

static int module_gone(struct model_vcpu *v, const struct err *e)
{
	model_log("%s", e->text);
	return model_stop(v, MODEL_STOP_FAULT);
}

int td_finish(struct model_vcpu *v)
{
	struct err e = { 0 };

	if (__real_kvm_set_regs(v->fd, &v->td.regs, &e) == 0)
		return exit_finish_site(v);
	model_log("%s", e.text);
	return model_stop(v, MODEL_STOP_FAULT);
}

static int answer(struct model_vcpu *v, uint64_t status)
{
	v->td.regs.rax = status;
	return td_finish(v);
}

/* Each of the module's own accesses to private memory walks the Secure EPT as the guest's do. */
uint8_t *td_operand(struct model_vcpu *v, uint64_t gpa, uint64_t size, uint64_t align,
		    enum tdx_operand operand, uint64_t *status, int *rc)
{
	const struct model_region *r;
	uint8_t page;

	*rc = 0;
	*status = TDX_ST_OPERAND_INVALID | operand;
	if (gpa % align != 0 || gpa >= MODEL_S_BIT)
		return NULL;
	r = model_region_of(gpa, size);
	page = r ? r->pages.page[(gpa - r->gpa) / PAGE_BYTES] : 0;
	if (page_shared_usable(page))
		*rc = exit_memory_fault(v, gpa, true, PENDING_SITE);
	else if (!page_private_usable(page))
		*rc = td_kill(v, "TDCALL's operand is not accepted:", gpa);
	if (*rc < 0)
		return NULL;
	return model_page(gpa, true);
}

/* What to do when td_operand gave nothing. */
static int no_operand(struct model_vcpu *v, uint64_t status, int rc)
{
	return rc < 0 ? rc : answer(v, status);
}

static int vp_info(struct model_vcpu *v)
{
	struct kvm_regs *r = &v->td.regs;

	r->rcx = TDX_GPAW;
	r->rdx = model.attributes;
	r->r8 = model.vcpu_count | (uint64_t)TD_CPUS_MAX << 32;
	r->r9 = (uint64_t)(v - model.vcpu);
	r->r10 = 0; /* TDG.SYS.RD is not there */
	r->r11 = 0;
	return answer(v, TDX_ST_SUCCESS);
}

static int rtmr_extend(struct model_vcpu *v)
{
	const struct kvm_regs *r = &v->td.regs;
	struct err e = { 0 };
	uint64_t status;
	const uint8_t *data;
	int rc;

	if (r->rdx >= RTMR_COUNT)
		return answer(v, TDX_ST_OPERAND_INVALID | TDX_OP_RDX);
	data = td_operand(v, r->rcx, RTMR_DATA_SIZE, RTMR_DATA_ALIGN, TDX_OP_RCX, &status, &rc);
	if (!data)
		return no_operand(v, status, rc);
	rc = tdx_rtmr_extend(model.psp_fd, (uint32_t)r->rdx, data, &status, &e);
	return rc < 0 ? module_gone(v, &e) : answer(v, status);
}

static int mr_report(struct model_vcpu *v)
{
	const struct kvm_regs *r = &v->td.regs;
	uint8_t report[TDX_WIRE_REPORT_SIZE], *out;
	const uint8_t *data;
	struct err e = { 0 };
	uint64_t status;
	int rc;

	if (r->r8 != 0)
		return answer(v, TDX_ST_OPERAND_INVALID | TDX_OP_R8);
	out = td_operand(v, r->rcx, sizeof(report), sizeof(report), TDX_OP_RCX, &status, &rc);
	if (!out)
		return no_operand(v, status, rc);
	data = td_operand(v, r->rdx, REPORT_DATA_SIZE, REPORT_DATA_SIZE, TDX_OP_RDX, &status, &rc);
	if (!data)
		return no_operand(v, status, rc);
	rc = tdx_mr_report(model.psp_fd, data, report, &status, &e);
	if (rc < 0)
		return module_gone(v, &e);
	if (status == TDX_ST_SUCCESS)
		memcpy(out, report, sizeof(report));
	return answer(v, status);
}

static uint64_t accept_status(enum sept_result result)
{
	switch (result) {
	case SEPT_ACCEPTED:
		return TDX_ST_SUCCESS;
	case SEPT_ALREADY:
		return TDX_ST_ALREADY_ACCEPTED;
	case SEPT_SIZE_MISMATCH:
		return TDX_ST_SIZE_MISMATCH | TDX_OP_RCX;
	case SEPT_FAULT:
		break;
	}
	return TDX_ST_OPERAND_INVALID | TDX_OP_RCX;
}

/* A page that KVM gives is zero: the private memory of the model is, and what is taken back loses
 * its contents at once (private.c). */
static int page_accept(struct model_vcpu *v)
{
	static const uint64_t size[] = { 0x1000, 0x200000, 0x40000000 };
	uint64_t rcx = v->td.regs.rcx, level = rcx & LEVEL_MASK, gpa = rcx & ~(PAGE_BYTES - 1);
	struct model_region *r;
	struct err e = { 0 };
	enum sept_result result;
	uint64_t page;

	if (level > SEPT_1G || (rcx & ACCEPT_RESERVED) != 0 || gpa >= MODEL_S_BIT ||
	    gpa % size[level] != 0)
		return answer(v, TDX_ST_OPERAND_INVALID | TDX_OP_RCX);
	r = model_region_of(gpa, 1);
	if (!r)
		return exit_memory_fault(v, gpa, true, PENDING_SITE);
	page = (gpa - r->gpa) / PAGE_BYTES;
	result = sept_accept(&r->pages, page, (enum sept_level)level);
	if (result == SEPT_FAULT)
		return exit_memory_fault(v, gpa, true, PENDING_SITE);
	if (result == SEPT_ACCEPTED && model_sync(r, gpa, size[level], &e) < 0) {
		model_log("%s", e.text);
		return model_stop(v, MODEL_STOP_FAULT);
	}
	return answer(v, accept_status(result));
}

static bool read_field(uint64_t field, uint64_t *value)
{
	switch (field) {
	case TDCS_CONFIG_FLAGS:
		*value = 0; /* KVM asks for none: no FLEXIBLE_PENDING_VE */
		return true;
	case TDCS_TD_CTLS:
		*value = (model.attributes & TD_ATTRIBUTES) != 0 ? TD_CTLS_PENDING_VE_DISABLE : 0;
		return true;
	}
	return false;
}

static int vm_rd(struct model_vcpu *v)
{
	struct kvm_regs *r = &v->td.regs;
	uint64_t value;

	if (!read_field(r->rdx, &value))
		return answer(v, TDX_ST_FIELD_ID | TDX_OP_RDX);
	r->r8 = value;
	return answer(v, TDX_ST_SUCCESS);
}

/* R8: value, R9: the bits to write. Nothing changes without FLEXIBLE_PENDING_VE. */
static int vm_wr(struct model_vcpu *v)
{
	struct kvm_regs *r = &v->td.regs;
	uint64_t value;

	if (!read_field(r->rdx, &value))
		return answer(v, TDX_ST_FIELD_ID | TDX_OP_RDX);
	if (r->rdx != TDCS_TD_CTLS || ((r->r8 ^ value) & r->r9) != 0)
		return answer(v, TDX_ST_FIELD_NOT_WRITABLE | TDX_OP_RDX);
	r->r8 = value;
	return answer(v, TDX_ST_SUCCESS);
}

int td_run_site(struct model_vcpu *v)
{
	struct kvm_regs *r = &v->td.regs;
	struct kvm_sregs sregs;
	struct err e = { 0 };

	if (__real_kvm_get_regs(v->fd, r, &e) < 0 || __real_kvm_get_sregs(v->fd, &sregs, &e) < 0)
		return model_stop(v, MODEL_STOP_FAULT);
	if ((sregs.cs.selector & 3) != 0 || !sregs.cs.l) {
		model_log("vCPU %u: TDCALL at %#llx outside 64-bit ring 0: #GP or #UD", v->id,
			  r->rip);
		return model_stop(v, MODEL_STOP_SITE);
	}
	switch (r->rax) {
	case TDG_VP_VMCALL:
		return td_vmcall(v);
	case TDG_VP_INFO:
		return vp_info(v);
	case TDG_MR_RTMR_EXTEND:
		return rtmr_extend(v);
	case TDG_VP_VEINFO_GET:
		return answer(v, TDX_ST_NO_VE_INFO); /* the model stops instead of a #VE */
	case TDG_MR_REPORT:
		return mr_report(v);
	case TDG_MEM_PAGE_ACCEPT:
		return page_accept(v);
	case TDG_VM_RD:
		return vm_rd(v);
	case TDG_VM_WR:
		return vm_wr(v);
	}
	return answer(v, TDX_ST_OPERAND_INVALID);
}

/* ---- for the common exits ------------------------------------------------------------------- */

static bool td_site_fits(const uint8_t bytes[FW_SITE_SIZE], uint32_t kind)
{
	static const uint8_t tdcall[FW_SITE_SIZE] = { 0x66, 0x0F, 0x01, 0xCC };

	return (kind == FW_SITE_TDCALL || kind == FW_SITE_TDX_FOLD) &&
	       memcmp(bytes, tdcall, FW_SITE_SIZE) == 0;
}

/* Where there is no RAM the attribute says shared. With SEPT_VE_DISABLE a pending page makes no
 * #VE: KVM sees the access, which it cannot resolve. */
static int td_bad_access(struct model_vcpu *v, const struct model_region *r, uint64_t gpa,
			 bool private)
{
	if (r)
		return td_kill(v, "access to a page that is not accepted:", gpa);
	if (private)
		return exit_memory_fault(v, gpa, true, PENDING_NONE);
	return model_stop_access(v, MODEL_STOP_DIRECT_IO, "direct access to shared", gpa);
}

/* Processors but the first only wait for the mailbox until the kernel runs, so they need not run
 * before the fold, and must not during it: slots they run from go and come. A short wait, and the
 * VMM, which sees a signal that came for nothing, asks again. */
static int td_check_run(struct model_vcpu *v)
{
	const struct timespec wait = { .tv_nsec = WAIT_NS };

	if (!model.finished || !v->td.inited)
		return -EINVAL;
	if (v == model.vcpu || __atomic_load_n(&model.folded, __ATOMIC_ACQUIRE))
		return ENTER_GUEST;
	(void)ppoll(NULL, 0, &wait, NULL);
	return -EINTR;
}

const struct model_kind kind_tdx = {
	.name = "TDX",
	.fault = "#VE",
	.tee = PLAN_TEE_TDX,
	.variant = FW_VARIANT_TDX,
	.fold_site = FW_SITE_TDX_FOLD,
	.shared_bit = MODEL_S_BIT,
	.sharing_discards = true,
	.site_fits = td_site_fits,
	.run_site = td_run_site,
	.resume = td_resume,
	.bad_access = td_bad_access,
	.check_run = td_check_run,
	.agent_submit = td_agent_submit,
	.agent_poll = td_agent_poll,
};
