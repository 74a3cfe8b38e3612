#include "vmm/tee/snp_exits.h"

#include "common/kvm_uapi.h"
#include "common/snp_term.h"
#include "vmm/tee/private_exits.h"
#include "vmm/tee/snp.h"
#include "vmm/tee/snp_certs.h"
#include "vmm/tee/snp_errors.h"
#include "vmm/vm.h"

#include <errno.h>

/* Of a termination by our own firmware: the reason is then a stop code (firmware/stop.h). Set 0 is
 * the GHCB specification's, set 1 Linux's. */
#define FIRMWARE_REASON_SET 3u

/* GHCB specification, "termination request": the GHCB MSR holds 0x100, the set of reasons in
 * [15:12], the reason in [23:16]. */
static void terminated(struct vcpu *v, uint64_t msr)
{
	unsigned set = (unsigned)(msr >> 12 & 0xF), reason = (unsigned)(msr >> 16 & 0xFF);

	if (set == FIRMWARE_REASON_SET) {
		vm_end(v->vm, VM_END_FIRMWARE_STOP, reason);
		return;
	}
	vm_log(v->vm, "vcpu %u: the guest ended itself (GHCB %#llx, set %u, reason %u): %s",
	       v->index, (unsigned long long)msr, set, reason, snp_term_text(set, reason));
	vm_end(v->vm, VM_END_TERMINATED, set << 8 | reason);
}

static bool system_event(struct vcpu *v)
{
	const struct kvm_run *run = v->run;

	if (run->system_event.type != UAPI_SYSTEM_EVENT_SEV_TERM)
		return false;
	terminated(v, run->system_event.ndata >= 1 ? run->system_event.data[0] : 0);
	return true;
}

static void fail_entry(struct vcpu *v)
{
	uint64_t why = v->run->fail_entry.hardware_entry_failure_reason;

	vm_log(v->vm, "vcpu %u: the processor refuses to enter the guest (%#llx): its encrypted "
	       "state is not one of a finished launch", v->index, (unsigned long long)why);
	vm_end(v->vm, VM_END_KVM_ERROR, KVM_EXIT_FAIL_ENTRY);
}

/* Why KVM_RUN failed; how the VM ends is the caller's. */
static void explain(const struct vcpu *v, int rc)
{
	struct err e = { 0 };

	(void)snp_error(SNP_RUN, rc, 0, &e);
	if (!atomic_load(&v->vm->stopping))
		vm_log(v->vm, "vcpu %u: %s", v->index, e.text);
}

bool snp_exit(struct vcpu *v, int rc)
{
	/* Only with these two the exit reason is valid after an error. */
	if (rc == -EFAULT || rc == -EHWPOISON) {
		if (v->run->exit_reason != UAPI_EXIT_MEMORY_FAULT)
			return false;
		private_fault(v, rc);
		return true;
	}
	v->spurious_faults = 0;
	if (rc < 0) {
		explain(v, rc);
		return false;
	}
	switch (v->run->exit_reason) {
	case KVM_EXIT_HYPERCALL:
		private_hypercall(v);
		return true;
	case UAPI_EXIT_SNP_REQ_CERTS:
		snp_certs_exit(v);
		return true;
	case KVM_EXIT_SYSTEM_EVENT:
		return system_event(v);
	case KVM_EXIT_FAIL_ENTRY:
		fail_entry(v);
		return true;
	default:
		return false;
	}
}
