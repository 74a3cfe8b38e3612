/* Between two KVM_RUNs. What a plain VM leaves with is turned into what KVM on SEV-SNP or TDX would
 * show: instructions of the image are answered by its kind (snp_exits.c, tdcall.c), requests of the
 * guest become exits, and an access that hardware would not let through ends the run. */
#include "model/platform.h"
#include "model/real.h"
#include "common/kvm_uapi.h"

#include <errno.h>
#include <string.h>

#define PORT_DATA_OFFSET 4096u /* the page KVM itself uses for port data */
#define SITE_PORT 0xE0u

/* ---- towards the VMM ------------------------------------------------------------------------ */

int exit_leave(struct model_vcpu *v, uint32_t reason, enum model_pending pending)
{
	v->run->exit_reason = reason;
	v->pending = pending;
	return 0;
}

/* A private access to a page the host holds for shared, or the other way round. */
int exit_memory_fault(struct model_vcpu *v, uint64_t gpa, bool private, enum model_pending pending)
{
	struct uapi_memory_fault f = { .flags = private ? UAPI_FAULT_PRIVATE : 0,
				       .gpa = gpa & ~(PAGE_BYTES - 1), .size = PAGE_BYTES };

	memcpy((uint8_t *)v->run + UAPI_RUN_MEMORY_FAULT_OFFSET, &f, sizeof(f));
	(void)exit_leave(v, UAPI_EXIT_MEMORY_FAULT, pending);
	return -EFAULT;
}

int exit_change_pages(struct model_vcpu *v, uint64_t gpa, uint64_t pages, bool private, bool large,
		      enum model_pending pending)
{
	struct kvm_run *run = v->run;

	memset(&run->hypercall, 0, sizeof(run->hypercall));
	run->hypercall.nr = UAPI_HC_MAP_GPA_RANGE;
	run->hypercall.args[0] = gpa;
	run->hypercall.args[1] = pages;
	run->hypercall.args[2] = (private ? UAPI_MAP_GPA_PRIVATE : 0) | (large ? 1 : 0);
	run->hypercall.longmode = 1;
	run->hypercall.ret = 0;
	return exit_leave(v, KVM_EXIT_HYPERCALL, pending);
}

int exit_port(struct model_vcpu *v, uint16_t port, unsigned size, bool write, uint64_t value,
	      enum model_pending pending)
{
	struct kvm_run *run = v->run;

	run->io.direction = write ? KVM_EXIT_IO_OUT : KVM_EXIT_IO_IN;
	run->io.size = (uint8_t)size;
	run->io.port = port;
	run->io.count = 1;
	run->io.data_offset = PORT_DATA_OFFSET;
	memcpy((uint8_t *)run + PORT_DATA_OFFSET, &value, size);
	return exit_leave(v, KVM_EXIT_IO, pending);
}

uint64_t exit_port_value(const struct model_vcpu *v, unsigned size)
{
	uint64_t value = 0;

	memcpy(&value, (const uint8_t *)v->run + PORT_DATA_OFFSET, size);
	return value;
}

int exit_mmio(struct model_vcpu *v, uint64_t gpa, unsigned size, bool write, uint64_t value,
	      enum model_pending pending)
{
	struct kvm_run *run = v->run;

	run->mmio.phys_addr = gpa;
	run->mmio.len = size;
	run->mmio.is_write = write;
	memcpy(run->mmio.data, &value, sizeof(run->mmio.data));
	return exit_leave(v, KVM_EXIT_MMIO, pending);
}

/* ---- the end of an instruction -------------------------------------------------------------- */

int exit_finish_site(struct model_vcpu *v)
{
	struct err e = { 0 };

	v->pending = PENDING_NONE;
	if (model.site[v->site].kind != model.kind->fold_site)
		return ENTER_GUEST;
	if (model_fold(&e) == 0)
		return ENTER_GUEST;
	model_log("%s", e.text);
	return model_stop(v, MODEL_STOP_FAULT);
}

/* ---- exits of the plain VM ------------------------------------------------------------------ */

int model_stop_access(struct model_vcpu *v, enum model_stop why, const char *what, uint64_t where)
{
	struct kvm_regs regs = { 0 };
	struct err e = { 0 };

	(void)__real_kvm_get_regs(v->fd, &regs, &e);
	model_log("vCPU %u: %s %#llx, near rip %#llx: hardware raises %s, the model stops", v->id,
		  what, (unsigned long long)where, regs.rip, model.kind->fault);
	return model_stop(v, why);
}

static int port_exit(struct model_vcpu *v)
{
	const struct kvm_run *run = v->run;
	struct kvm_regs regs;
	struct err e = { 0 };
	int site;

	if (model.folded)
		return model_request_port(v);
	if (__real_kvm_get_regs(v->fd, &regs, &e) < 0)
		return model_stop(v, MODEL_STOP_FAULT);
	site = model_site_at(regs.rip);
	if (site < 0 || run->io.direction != KVM_EXIT_IO_OUT || run->io.size != 4 ||
	    run->io.port != SITE_PORT + model.site[site].kind)
		return model_stop_access(v, MODEL_STOP_DIRECT_IO, "direct I/O at port",
					 run->io.port);
	v->site = (uint32_t)site;
	return model.kind->run_site(v);
}

/* Memory without a slot: not RAM, or RAM that this access must not reach. */
static int mmio_exit(struct model_vcpu *v)
{
	const struct model_region *r;
	uint64_t gpa;
	bool private;

	if (model.folded)
		return 0;
	gpa = model_address(v->run->mmio.phys_addr, &private);
	r = model_region_of(gpa, 1);
	if (r && private == page_shared_usable(r->pages.page[(gpa - r->gpa) / PAGE_BYTES]))
		return exit_memory_fault(v, gpa, private, PENDING_NONE);
	return model.kind->bad_access(v, r, gpa, private);
}

static int judge(struct model_vcpu *v)
{
	switch (v->run->exit_reason) {
	case KVM_EXIT_IO:
		return port_exit(v);
	case KVM_EXIT_MMIO:
		return mmio_exit(v);
	}
	return model.kind->other_exit ? model.kind->other_exit(v) : 0;
}

/* What the VMM left to do: ENTER_GUEST when the guest may go on. */
static int resume(struct model_vcpu *v)
{
	switch (v->pending) {
	case PENDING_NONE:
		return ENTER_GUEST;
	case PENDING_SITE:
		return model.kind->run_site(v);
	default:
		return model.kind->resume(v);
	}
}

int model_run_vcpu(struct model_vcpu *v)
{
	int rc = model.dead ? -EIO : model.kind->check_run(v);

	if (rc != ENTER_GUEST)
		return rc;
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
