#include "vmm/tee/tdx_exits.h"

#include "common/kvm_uapi.h"
#include "common/snp_term.h"
#include "firmware/stop.h"
#include "vmm/tee/private_exits.h"
#include "vmm/tee/tdx_errors.h"
#include "vmm/tee/tdx_quote.h"
#include "vmm/vm.h"

#include <errno.h>
#include <string.h>

/* GetTdVmCallInfo, leaf 1: optional calls that leave to user space (GHCI 1.5 §3.1, R11) */
#define INFO_LEAF   1u
#define INFO_NOTIFY (1ull << 1) /* SetupEventNotifyInterrupt */

/* Where KVM puts registers for KVM_SYSTEM_EVENT_TDX_FATAL: ascending, from RAX. */
enum fatal_register { RDX = 2, RBX = 3, RSI = 6, RDI = 7, R8 = 8, R9 = 9, R12 = 12, R14 = 14,
		      R15 = 15, FATAL_REGISTERS = 16 };

/* GHCI 1.5 §3.4: the message's bytes, in this order of registers. */
static const enum fatal_register message_order[8] = { R14, R15, RBX, RDI, RSI, R8, R9, RDX };

static void answer_info(struct vcpu *v, struct uapi_tdx_exit *x)
{
	const struct tdx *t = &v->vm->tdx;

	if (x->info.leaf != INFO_LEAF) {
		x->ret = UAPI_TDVMCALL_INVALID;
		return;
	}
	x->info.r11 = t->quotes.notify_fd >= 0 ?
		      t->caps.head.user_tdvmcallinfo_1_r11 & INFO_NOTIFY : 0;
	x->info.r12 = x->info.r13 = x->info.r14 = 0;
	x->ret = UAPI_TDVMCALL_SUCCESS;
}

/* Of what we do not know the answer stands already: UAPI_TDVMCALL_UNSUPPORTED. */
static void tdvmcall(struct vcpu *v)
{
	struct uapi_tdx_exit x;

	memcpy(&x, (const uint8_t *)v->run + UAPI_RUN_TDX_OFFSET, sizeof(x));
	switch (x.nr) {
	case UAPI_TDVMCALL_INFO:
		answer_info(v, &x);
		break;
	case UAPI_TDVMCALL_GET_QUOTE:
		x.ret = tdx_quote_get(v, x.quote.gpa, x.quote.size);
		break;
	case UAPI_TDVMCALL_SETUP_NOTIFY:
		x.ret = tdx_quote_notify(v, x.notify.vector);
		break;
	default:
		x.ret = UAPI_TDVMCALL_UNSUPPORTED;
	}
	memcpy((uint8_t *)v->run + UAPI_RUN_TDX_OFFSET, &x, sizeof(x));
}

static void read_message(const struct kvm_run *run, char text[65])
{
	size_t n = 0;

	for (unsigned i = 0; i < 8; i++)
		for (unsigned byte = 0; byte < 8; byte++) {
			char c = (char)(run->system_event.data[message_order[i]] >> 8 * byte);

			if (c == '\0') {
				text[n] = '\0';
				return;
			}
			text[n++] = c >= ' ' && c <= '~' ? c : '?';
		}
	text[n] = '\0';
}

/* TDG.VP.VMCALL<ReportFatalError>. Our firmware's own code is believed until it handed over: later
 * the guest's kernel speaks. */
static void fatal(struct vcpu *v)
{
	const struct kvm_run *run = v->run;
	char text[65] = "";
	uint64_t code = 0;
	bool handed_over;

	if (run->system_event.ndata >= FATAL_REGISTERS) {
		code = run->system_event.data[R12];
		read_message(run, text);
	}
	pthread_mutex_lock(&v->vm->lock);
	handed_over = v->vm->power.handed_over;
	pthread_mutex_unlock(&v->vm->lock);
	if (!handed_over && (code & ~0xFFFFull) == STOP_MAGIC) {
		vm_end(v->vm, VM_END_FIRMWARE_STOP, (uint32_t)code & 0xFFFF);
		return;
	}
	vm_log(v->vm, "vcpu %u: the guest ended itself (code %#llx): %s", v->index,
	       (unsigned long long)code, text[0] != '\0' ? text : "without a message");
	vm_end(v->vm, VM_END_TERMINATED, SNP_TERM_SET_TDX << 8 | ((uint32_t)code & 0xFF));
}

/* Why the module did not enter the guest, or will not again; how the VM ends is the caller's. */
static void explain(const struct vcpu *v, int rc, uint64_t status)
{
	struct err e = { 0 };

	(void)tdx_error(TDX_RUN, rc, status, &e);
	if (!atomic_load(&v->vm->stopping))
		vm_log(v->vm, "vcpu %u: %s", v->index, e.text);
}

/* KVM does not know what TDH.VP.ENTER answered, which is in data[0]. */
static bool internal_error(struct vcpu *v)
{
	const struct kvm_run *run = v->run;

	if (run->internal.suberror != KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON ||
	    run->internal.ndata < 1)
		return false;
	explain(v, -EIO, run->internal.data[0]);
	vm_end(v->vm, VM_END_KVM_ERROR, KVM_EXIT_INTERNAL_ERROR);
	return true;
}

static void fail_entry(struct vcpu *v)
{
	uint64_t why = v->run->fail_entry.hardware_entry_failure_reason;

	vm_log(v->vm, "vcpu %u: the processor refuses to enter the trust domain (%#llx): modules "
	       "before 1.5.06 do so: update the TDX module", v->index, (unsigned long long)why);
	vm_end(v->vm, VM_END_KVM_ERROR, KVM_EXIT_FAIL_ENTRY);
}

bool tdx_exit(struct vcpu *v, int rc)
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
		explain(v, rc, 0);
		return false;
	}
	switch (v->run->exit_reason) {
	case KVM_EXIT_HYPERCALL:
		private_hypercall(v);
		return true;
	case UAPI_EXIT_TDX:
		tdvmcall(v);
		return true;
	case KVM_EXIT_SYSTEM_EVENT:
		if (v->run->system_event.type != UAPI_SYSTEM_EVENT_TDX_FATAL)
			return false;
		fatal(v);
		return true;
	case KVM_EXIT_FAIL_ENTRY:
		fail_entry(v);
		return true;
	case KVM_EXIT_INTERNAL_ERROR:
		return internal_error(v);
	default:
		return false;
	}
}
