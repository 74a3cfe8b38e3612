/* Between two KVM_RUNs of an SEV-SNP guest: PVALIDATE, RMPADJUST and VMGEXIT of the image, and its
 * two MSRs. */
#include "model/platform.h"
#include "model/psp_client.h"
#include "model/real.h"
#include "model/rmp.h"
#include "model/walk.h"
#include "common/kvm_uapi.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define GHCB_MSR      0xC0010130u
#define SEV_ACTIVE    7ull /* SEV_STATUS: SEV, SEV-ES, SEV-SNP */
#define GHCB_MSR_INFO 0xFFFull

#define RFLAGS_CF 1ull
#define LARGE     0x200000ull

static int terminate(struct model_vcpu *v, uint64_t word)
{
	struct kvm_run *run = v->run;

	model.dead = true;
	run->system_event.type = UAPI_SYSTEM_EVENT_SEV_TERM;
	run->system_event.ndata = 1;
	run->system_event.data[0] = word;
	return exit_leave(v, KVM_EXIT_SYSTEM_EVENT, PENDING_NONE);
}

/* ---- VMGEXIT -------------------------------------------------------------------------------- */

static int change_pages(struct model_vcpu *v, const struct ghcb_change *c,
			enum model_pending pending)
{
	return exit_change_pages(v, c->gpa, c->pages, c->private, c->large, pending);
}

static int finish_page(struct model_vcpu *v)
{
	uint8_t *page = model_page(v->ghcb_msr, false);

	if (!page)
		return -EINVAL;
	ghcb_write_back(page, v->ghcb);
	return exit_finish_site(v);
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
		return exit_port(v, (uint16_t)c->address, c->size, c->write, c->value,
				 c->write ? PENDING_DONE : PENDING_PORT_IN);
	case GHCB_MMIO:
		return exit_mmio(v, c->address, c->size, c->write, c->value,
				 c->write ? PENDING_DONE : PENDING_MMIO_READ);
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
	return exit_finish_site(v);
}

/* ---- PVALIDATE, RMPADJUST ------------------------------------------------------------------- */

static int set_result(struct model_vcpu *v, struct kvm_regs *regs, const struct rmp_answer *a)
{
	struct err e = { 0 };

	regs->rax = a->code;
	regs->rflags = (regs->rflags & ~RFLAGS_CF) | (a->unchanged ? RFLAGS_CF : 0);
	if (__real_kvm_set_regs(v->fd, regs, &e) == 0)
		return exit_finish_site(v);
	model_log("%s", e.text);
	return model_stop(v, MODEL_STOP_FAULT);
}

static struct rmp_answer apply(const struct model_site *s, const struct kvm_regs *regs,
			       struct model_region *r, uint64_t page, bool large, bool aligned)
{
	if (s->kind == FW_SITE_PVALIDATE)
		return rmp_pvalidate(&r->pages, page, large, aligned, (regs->rdx & 1) != 0);
	return rmp_adjust(&r->pages, page, large, aligned, regs->rdx);
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
	uint64_t size = large ? LARGE : PAGE_BYTES;
	if ((sregs.cs.selector & 3) != 0 || walk(&sregs, regs.rax, &gpa) < 0 ||
	    (gpa & MODEL_C_BIT) == 0 ||
	    !(r = model_region_of((gpa & ~MODEL_C_BIT) & ~(size - 1), size))) {
		model_log("vCPU %u: site at %#llx: operand %#llx is no private RAM: #GP or #PF",
			  v->id, (unsigned long long)s->gpa, (unsigned long long)regs.rax);
		return model_stop(v, MODEL_STOP_SITE);
	}
	gpa &= ~MODEL_C_BIT;
	a = apply(s, &regs, r, (gpa & ~(size - 1)) / PAGE_BYTES - r->gpa / PAGE_BYTES, large,
		  (regs.rax | gpa) % size == 0 || !large);
	if (a.fault)
		return exit_memory_fault(v, gpa, true, PENDING_SITE);
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

static int snp_run_site(struct model_vcpu *v)
{
	const struct model_site *s = &model.site[v->site];

	if (!is_vmgexit(s))
		return page_instruction(v, s);
	return (v->ghcb_msr & GHCB_MSR_INFO) == 0 && v->ghcb_msr != 0 ? page_exit(v) : msr_exit(v);
}

/* ---- its MSRs, its end ---------------------------------------------------------------------- */

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

static int snp_other_exit(struct model_vcpu *v)
{
	switch (v->run->exit_reason) {
	case KVM_EXIT_X86_RDMSR:
		return rdmsr_exit(v);
	case KVM_EXIT_X86_WRMSR:
		return wrmsr_exit(v);
	}
	return 0;
}

static int snp_bad_access(struct model_vcpu *v, const struct model_region *r, uint64_t gpa,
			  bool private)
{
	(void)private;
	if (!r)
		return model_stop_access(v, MODEL_STOP_DIRECT_IO, "direct access to", gpa);
	return model_stop_access(v, MODEL_STOP_UNVALIDATED,
				 "access to a page that is not validated:", gpa);
}

/* What the VMM left to do. */
static int snp_resume(struct model_vcpu *v)
{
	struct kvm_run *run = v->run;

	switch (v->pending) {
	case PENDING_MSR_PSC:
		v->ghcb_msr = ghcb_msr_psc_answer(run->hypercall.ret);
		return exit_finish_site(v);
	case PENDING_PAGE_PSC:
		v->call = ghcb_page_psc_next(v->ghcb, &v->call, run->hypercall.ret);
		return act_on_page(v);
	case PENDING_PORT_IN:
		ghcb_page_port_answer(v->ghcb, &v->call, exit_port_value(v, v->call.size));
		return finish_page(v);
	case PENDING_MMIO_READ:
		memcpy(v->ghcb + v->call.offset, run->mmio.data, v->call.size);
		return finish_page(v);
	case PENDING_DONE:
		return finish_page(v);
	default:
		return -EINVAL;
	}
}

/* KVM has no check of its own in software: VMRUN fails on a save area that is not encrypted. */
static int snp_check_run(struct model_vcpu *v)
{
	if (model.finished && v->protected)
		return ENTER_GUEST;
	v->run->exit_reason = KVM_EXIT_FAIL_ENTRY;
	v->run->fail_entry.hardware_entry_failure_reason = UINT64_MAX;
	v->run->fail_entry.cpu = 0;
	return 0;
}

static bool snp_site_fits(const uint8_t bytes[FW_SITE_SIZE], uint32_t kind)
{
	static const uint8_t pvalidate[FW_SITE_SIZE] = { 0xF2, 0x0F, 0x01, 0xFF };
	static const uint8_t rmpadjust[FW_SITE_SIZE] = { 0xF3, 0x0F, 0x01, 0xFE };
	static const uint8_t vmgexit[FW_SITE_SIZE] = { 0xF3, 0x0F, 0x01, 0xD9 };
	bool adjust = memcmp(bytes, rmpadjust, FW_SITE_SIZE) == 0;
	bool exit = memcmp(bytes, vmgexit, FW_SITE_SIZE) == 0;

	switch (kind) {
	case FW_SITE_PVALIDATE:
		return memcmp(bytes, pvalidate, FW_SITE_SIZE) == 0;
	case FW_SITE_RMPADJUST:
		return adjust;
	case FW_SITE_VMGEXIT:
		return exit;
	case FW_SITE_FOLD:
		return adjust || exit;
	}
	return false;
}

/* ---- the fold ------------------------------------------------------------------------------- */

/* Linux, Documentation/arch/x86/boot.rst and zero-page.rst */
#define ZERO_PAGE_CC_BLOB    0x13Cu
#define ZERO_PAGE_SETUP_DATA 0x250u
#define SETUP_CC_BLOB 7u
#define NODES_MAX     64u

struct setup_node {
	uint64_t next;
	uint32_t type, size;
};

static uint8_t *shared_at(uint64_t gpa, uint64_t size)
{
	const struct model_region *r = model_region_of(gpa, size);

	return r ? (uint8_t *)(uintptr_t)(r->view.shared.host + (gpa - r->gpa)) : NULL;
}

/* A kernel that finds the blob executes RMPADJUST and dies. Returns the number taken out. */
static unsigned unlink_blob(void)
{
	uint8_t *zero_page = shared_at(FW_ZERO_PAGE, FW_PAGE), *link, *node_at;
	struct setup_node node;
	unsigned taken = 0;

	if (!zero_page)
		return 0;
	memset(zero_page + ZERO_PAGE_CC_BLOB, 0, sizeof(uint32_t));
	link = zero_page + ZERO_PAGE_SETUP_DATA;
	for (unsigned i = 0; i < NODES_MAX; i++) {
		uint64_t gpa;

		memcpy(&gpa, link, sizeof(gpa));
		node_at = gpa != 0 ? shared_at(gpa, sizeof(node)) : NULL;
		if (!node_at)
			break;
		memcpy(&node, node_at, sizeof(node));
		if (node.type == SETUP_CC_BLOB) {
			memcpy(link, &node.next, sizeof(node.next));
			taken++;
		} else {
			link = node_at;
		}
	}
	return taken;
}

static void snp_folded(char *text, size_t size)
{
	snprintf(text, size, ", %u CC blob unlinked", unlink_blob());
}

/* ---- the agent's request -------------------------------------------------------------------- */

/* In place of the sev-guest driver: struct psp_report_request and psp_report_answer. */
static enum agent_answer snp_agent_submit(struct model_vcpu *v, struct agent_message *m)
{
	uint8_t request[sizeof(struct psp_report_request)];
	uint32_t status = 0;
	struct err e = { 0 };
	int rc;

	(void)v;
	if (m->size != sizeof(request))
		return AGENT_FAILED;
	memcpy(request, m->bytes, sizeof(request));
	rc = psp_guest_report(model.psp_fd, request, sizeof(request), m->bytes,
			      REQUEST_MESSAGE_MAX, &m->size, &status, &e);
	if (rc < 0)
		model_log("%s", e.text);
	return rc == 0 && status == PSP_SUCCESS ? AGENT_ANSWERED : AGENT_FAILED;
}

const struct model_kind kind_snp = {
	.name = "SEV-SNP",
	.fault = "#VC",
	.tee = PLAN_TEE_SNP,
	.variant = FW_VARIANT_SNP,
	.fold_site = FW_SITE_FOLD,
	.private_bit = MODEL_C_BIT,
	.site_fits = snp_site_fits,
	.run_site = snp_run_site,
	.resume = snp_resume,
	.bad_access = snp_bad_access,
	.other_exit = snp_other_exit,
	.check_run = snp_check_run,
	.folded = snp_folded,
	.agent_submit = snp_agent_submit,
};
