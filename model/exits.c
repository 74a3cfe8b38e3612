/* Between two KVM_RUNs. What a plain VM leaves with is turned into what KVM on SEV-SNP would show:
 * instructions of the image are answered here, requests of the guest become exits, and an access
 * that hardware would not let through ends the run. */
#include "model/platform.h"
#include "model/real.h"
#include "model/walk.h"
#include "common/kvm_uapi.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#define GHCB_MSR      0xC0010130u
#define SEV_STATUS    0xC0010131u
#define SEV_ACTIVE    7ull /* SEV, SEV-ES, SEV-SNP */
#define GHCB_MSR_INFO 0xFFFull
#define PORT_DATA_OFFSET 4096u /* the page KVM itself uses for port data */

#define RFLAGS_CF 1ull
#define LARGE     0x200000ull
#define SITE_PORT 0xE1u

#define ENTER_GUEST 1 /* nothing for the VMM */

static int leave(struct model_vcpu *v, uint32_t reason, enum model_pending pending)
{
	v->run->exit_reason = reason;
	v->pending = pending;
	return 0;
}

/* ---- towards the VMM ------------------------------------------------------------------------ */

/* A private access to a page the host holds for shared, or the other way round. */
static int memory_fault(struct model_vcpu *v, uint64_t gpa, bool private,
			enum model_pending pending)
{
	struct uapi_memory_fault f = { .flags = private ? UAPI_FAULT_PRIVATE : 0,
				       .gpa = gpa & ~(RMP_PAGE - 1), .size = RMP_PAGE };

	memcpy((uint8_t *)v->run + UAPI_RUN_MEMORY_FAULT_OFFSET, &f, sizeof(f));
	(void)leave(v, UAPI_EXIT_MEMORY_FAULT, pending);
	return -EFAULT;
}

static int change_pages(struct model_vcpu *v, const struct ghcb_change *c,
			enum model_pending pending)
{
	struct kvm_run *run = v->run;

	memset(&run->hypercall, 0, sizeof(run->hypercall));
	run->hypercall.nr = UAPI_HC_MAP_GPA_RANGE;
	run->hypercall.args[0] = c->gpa;
	run->hypercall.args[1] = c->pages;
	run->hypercall.args[2] = (c->private ? UAPI_MAP_GPA_PRIVATE : 0) | (c->large ? 1 : 0);
	run->hypercall.longmode = 1;
	run->hypercall.ret = 0;
	return leave(v, KVM_EXIT_HYPERCALL, pending);
}

static int terminate(struct model_vcpu *v, uint64_t word)
{
	struct kvm_run *run = v->run;

	model.dead = true;
	run->system_event.type = UAPI_SYSTEM_EVENT_SEV_TERM;
	run->system_event.ndata = 1;
	run->system_event.data[0] = word;
	return leave(v, KVM_EXIT_SYSTEM_EVENT, PENDING_NONE);
}

static int port_access(struct model_vcpu *v, const struct ghcb_call *c)
{
	struct kvm_run *run = v->run;

	run->io.direction = c->write ? KVM_EXIT_IO_OUT : KVM_EXIT_IO_IN;
	run->io.size = (uint8_t)c->size;
	run->io.port = (uint16_t)c->address;
	run->io.count = 1;
	run->io.data_offset = PORT_DATA_OFFSET;
	memcpy((uint8_t *)run + PORT_DATA_OFFSET, &c->value, c->size);
	return leave(v, KVM_EXIT_IO, c->write ? PENDING_DONE : PENDING_PORT_IN);
}

static int mmio_access(struct model_vcpu *v, const struct ghcb_call *c)
{
	struct kvm_run *run = v->run;

	run->mmio.phys_addr = c->address;
	run->mmio.len = c->size;
	run->mmio.is_write = c->write;
	memcpy(run->mmio.data, &c->value, sizeof(run->mmio.data));
	return leave(v, KVM_EXIT_MMIO, c->write ? PENDING_DONE : PENDING_MMIO_READ);
}

/* ---- the end of an instruction -------------------------------------------------------------- */

static int finish_site(struct model_vcpu *v)
{
	struct err e = { 0 };

	v->pending = PENDING_NONE;
	if (model.site[v->site].kind != FW_SITE_FOLD)
		return ENTER_GUEST;
	if (model_fold(&e) == 0)
		return ENTER_GUEST;
	model_log("%s", e.text);
	return model_stop(v, MODEL_STOP_FAULT);
}

/* ---- VMGEXIT -------------------------------------------------------------------------------- */

static int finish_page(struct model_vcpu *v)
{
	uint8_t *page = model_page(v->ghcb_msr, false);

	if (!page)
		return -EINVAL;
	ghcb_write_back(page, v->ghcb);
	return finish_site(v);
}

static int act_on_page(struct model_vcpu *v)
{
	const struct ghcb_call *c = &v->call;

	switch (c->kind) {
	case GHCB_ANSWERED:
		return finish_page(v);
	case GHCB_CHANGE:
		if (model.exit_hypercall)
			return change_pages(v, &c->change, PENDING_PAGE_PSC);
		v->call = ghcb_page_psc_next(v->ghcb, c, 1);
		return finish_page(v);
	case GHCB_TERMINATE:
		return terminate(v, v->ghcb_msr);
	case GHCB_PORT:
		return port_access(v, c);
	case GHCB_MMIO:
		return mmio_access(v, c);
	case GHCB_REGISTER:
	case GHCB_UNKNOWN:
		break;
	}
	return -EINVAL;
}

/* KVM maps the page as shared memory, and SEV-SNP guests must have registered it. */
static int page_exit(struct model_vcpu *v)
{
	const uint8_t *page = model_page(v->ghcb_msr, false);

	if (!page || v->ghcb_msr != v->ghcb_registered) {
		model_log("vCPU %u: VMGEXIT with page %#llx, which is not a registered shared one",
			  v->id, (unsigned long long)v->ghcb_msr);
		return -EINVAL;
	}
	memcpy(v->ghcb, page, GHCB_SIZE);
	v->call = ghcb_page_request(v->ghcb, v->ghcb_msr);
	return act_on_page(v);
}

static int msr_exit(struct model_vcpu *v)
{
	uint64_t answer = v->ghcb_msr;

	v->call = ghcb_msr_request(v->ghcb_msr, &answer);
	switch (v->call.kind) {
	case GHCB_REGISTER:
		v->ghcb_registered = v->call.value;
		break;
	case GHCB_CHANGE:
		if (model.exit_hypercall)
			return change_pages(v, &v->call.change, PENDING_MSR_PSC);
		break;
	case GHCB_TERMINATE:
		return terminate(v, v->call.value);
	case GHCB_ANSWERED:
		break;
	default:
		model_log("vCPU %u: GHCB MSR request %#llx is not known", v->id,
			  (unsigned long long)v->ghcb_msr);
		return -EINVAL;
	}
	v->ghcb_msr = answer;
	return finish_site(v);
}

/* ---- PVALIDATE, RMPADJUST ------------------------------------------------------------------- */

static int set_result(struct model_vcpu *v, struct kvm_regs *regs, const struct rmp_answer *a)
{
	struct err e = { 0 };

	regs->rax = a->code;
	regs->rflags = (regs->rflags & ~RFLAGS_CF) | (a->unchanged ? RFLAGS_CF : 0);
	if (__real_kvm_set_regs(v->fd, regs, &e) == 0)
		return finish_site(v);
	model_log("%s", e.text);
	return model_stop(v, MODEL_STOP_FAULT);
}

static struct rmp_answer apply(const struct model_site *s, const struct kvm_regs *regs,
			       struct model_region *r, uint64_t page, bool large, bool aligned)
{
	if (s->kind == FW_SITE_PVALIDATE)
		return rmp_pvalidate(&r->rmp, page, large, aligned, (regs->rdx & 1) != 0);
	return rmp_adjust(&r->rmp, page, large, aligned, regs->rdx);
}

static int page_instruction(struct model_vcpu *v, const struct model_site *s)
{
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	struct err e = { 0 };
	struct model_region *r;
	struct rmp_answer a;
	uint64_t gpa;

	if (__real_kvm_get_regs(v->fd, &regs, &e) < 0 || __real_kvm_get_sregs(v->fd, &sregs, &e) < 0)
		return model_stop(v, MODEL_STOP_FAULT);
	bool large = (regs.rcx & 1) != 0;
	uint64_t size = large ? LARGE : RMP_PAGE;
	if ((sregs.cs.selector & 3) != 0 || walk(&sregs, regs.rax, &gpa) < 0 ||
	    (gpa & MODEL_C_BIT) == 0 ||
	    !(r = model_region_of((gpa & ~MODEL_C_BIT) & ~(size - 1), size))) {
		model_log("vCPU %u: site at %#llx: operand %#llx is no private RAM: #GP or #PF",
			  v->id, (unsigned long long)s->gpa, (unsigned long long)regs.rax);
		return model_stop(v, MODEL_STOP_SITE);
	}
	gpa &= ~MODEL_C_BIT;
	a = apply(s, &regs, r, (gpa & ~(size - 1)) / RMP_PAGE - r->gpa / RMP_PAGE, large,
		  (regs.rax | gpa) % size == 0 || !large);
	if (a.fault)
		return memory_fault(v, gpa, true, PENDING_SITE);
	if (model_sync(r, gpa & ~(size - 1), size, &e) < 0) {
		model_log("%s", e.text);
		return model_stop(v, MODEL_STOP_FAULT);
	}
	return set_result(v, &regs, &a);
}

static bool is_vmgexit(const struct model_site *s)
{
	return s->original[3] == 0xD9;
}

static int run_site(struct model_vcpu *v)
{
	const struct model_site *s = &model.site[v->site];

	if (!is_vmgexit(s))
		return page_instruction(v, s);
	return (v->ghcb_msr & GHCB_MSR_INFO) == 0 && v->ghcb_msr != 0 ? page_exit(v) : msr_exit(v);
}

/* ---- exits of the plain VM ------------------------------------------------------------------ */

static int stop_access(struct model_vcpu *v, enum model_stop why, const char *what, uint64_t where)
{
	struct kvm_regs regs = { 0 };
	struct err e = { 0 };

	(void)__real_kvm_get_regs(v->fd, &regs, &e);
	model_log("vCPU %u: %s %#llx, near rip %#llx: hardware raises #VC, the model stops", v->id,
		  what, (unsigned long long)where, regs.rip);
	return model_stop(v, why);
}

static int port_exit(struct model_vcpu *v)
{
	const struct kvm_run *run = v->run;
	struct kvm_regs regs;
	struct err e = { 0 };
	int site;

	if (model.folded)
		return model_request_port(v->run) ? ENTER_GUEST : 0;
	if (__real_kvm_get_regs(v->fd, &regs, &e) < 0)
		return model_stop(v, MODEL_STOP_FAULT);
	site = model_site_at(regs.rip);
	if (site < 0 || run->io.direction != KVM_EXIT_IO_OUT || run->io.size != 4 ||
	    run->io.port != SITE_PORT - 1 + model.site[site].kind)
		return stop_access(v, MODEL_STOP_DIRECT_IO, "direct I/O at port", run->io.port);
	v->site = (uint32_t)site;
	return run_site(v);
}

/* Memory without a slot: not RAM, or RAM that this access must not reach. */
static int mmio_exit(struct model_vcpu *v)
{
	uint64_t address = v->run->mmio.phys_addr, gpa = address & ~MODEL_C_BIT;
	const struct model_region *r = model_region_of(gpa, 1);
	bool private = (address & MODEL_C_BIT) != 0;

	if (model.folded)
		return 0;
	if (!r)
		return stop_access(v, MODEL_STOP_DIRECT_IO, "direct access to", address);
	if (private == ((r->rmp.page[(gpa - r->gpa) / RMP_PAGE] & RMP_PRIVATE) == 0))
		return memory_fault(v, gpa, private, PENDING_NONE);
	return stop_access(v, MODEL_STOP_UNVALIDATED, "access to a page that is not validated:",
			   gpa);
}

static int rdmsr_exit(struct model_vcpu *v)
{
	struct kvm_run *run = v->run;

	run->msr.error = 0;
	if (run->msr.index == GHCB_MSR)
		run->msr.data = v->ghcb_msr;
	else
		run->msr.data = model.folded ? 0 : SEV_ACTIVE;
	return ENTER_GUEST;
}

static int wrmsr_exit(struct model_vcpu *v)
{
	struct kvm_run *run = v->run;

	run->msr.error = run->msr.index != GHCB_MSR || model.folded;
	if (run->msr.error == 0)
		v->ghcb_msr = run->msr.data;
	return ENTER_GUEST;
}

static int judge(struct model_vcpu *v)
{
	switch (v->run->exit_reason) {
	case KVM_EXIT_IO:
		return port_exit(v);
	case KVM_EXIT_MMIO:
		return mmio_exit(v);
	case KVM_EXIT_X86_RDMSR:
		return rdmsr_exit(v);
	case KVM_EXIT_X86_WRMSR:
		return wrmsr_exit(v);
	}
	return 0;
}

/* What the VMM left to do: ENTER_GUEST when the guest may go on. */
static int resume(struct model_vcpu *v)
{
	struct kvm_run *run = v->run;
	uint64_t value = 0;

	switch (v->pending) {
	case PENDING_NONE:
		return ENTER_GUEST;
	case PENDING_SITE:
		return run_site(v);
	case PENDING_MSR_PSC:
		v->ghcb_msr = ghcb_msr_psc_answer(run->hypercall.ret);
		return finish_site(v);
	case PENDING_PAGE_PSC:
		v->call = ghcb_page_psc_next(v->ghcb, &v->call, run->hypercall.ret);
		return act_on_page(v);
	case PENDING_PORT_IN:
		memcpy(&value, (const uint8_t *)run + PORT_DATA_OFFSET, v->call.size);
		ghcb_page_port_answer(v->ghcb, &v->call, value);
		return finish_page(v);
	case PENDING_MMIO_READ:
		memcpy(v->ghcb + v->call.offset, run->mmio.data, v->call.size);
		return finish_page(v);
	case PENDING_DONE:
		return finish_page(v);
	}
	return -EINVAL;
}

static int fail_entry(struct model_vcpu *v)
{
	v->run->exit_reason = KVM_EXIT_FAIL_ENTRY;
	v->run->fail_entry.hardware_entry_failure_reason = UINT64_MAX;
	v->run->fail_entry.cpu = 0;
	return 0;
}

int model_run_vcpu(struct model_vcpu *v)
{
	int rc;

	if (!model.finished || !v->protected)
		return fail_entry(v);
	if (model.dead)
		return -EIO;
	pthread_mutex_lock(&model.lock);
	rc = resume(v);
	pthread_mutex_unlock(&model.lock);
	while (rc == ENTER_GUEST) {
		rc = __real_kvm_run_vcpu(v->fd);
		if (rc < 0)
			break;
		pthread_mutex_lock(&model.lock);
		rc = judge(v);
		pthread_mutex_unlock(&model.lock);
	}
	return rc;
}
