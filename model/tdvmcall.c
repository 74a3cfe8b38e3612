/* TDG.VP.VMCALL: what the guest asks of the host, split between kernel and VMM as KVM splits it
 * (GHCI specification; Linux 6.16, arch/x86/kvm/vmx/tdx.c). */
#include "model/td.h"

#include "common/checked.h"
#include "common/kvm_uapi.h"

#include <errno.h>
#include <string.h>
#include <sys/poll.h>

/* Numbers of registers, as in the mask that RCX is. */
enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15, GPRS };

/* RAX, RCX and RSP are never the host's; bits 16 to 31 are XMM registers. */
#define MASK_FORBIDDEN (0xFFFFFFFF00000000ull | 1u << RAX | 1u << RCX | 1u << RSP)

/* Sub-functions (GHCI tables 3-1 and 3-2) */
#define CALL_CPUID 10u
#define CALL_HLT   12u
#define CALL_IO    30u
#define CALL_RDMSR 31u
#define CALL_WRMSR 32u
#define CALL_MMIO  48u
#define CALL_INFO    0x10000u
#define CALL_MAP_GPA 0x10001u
#define CALL_QUOTE   0x10002u
#define CALL_FATAL   0x10003u
#define CALL_NOTIFY  0x10004u

#define STATUS_SUCCESS UAPI_TDVMCALL_SUCCESS
#define STATUS_RETRY   UAPI_TDVMCALL_RETRY
#define STATUS_INVALID UAPI_TDVMCALL_INVALID
#define STATUS_ALIGN   0x8000000000000002ull
#define STATUS_UNSUPPORTED UAPI_TDVMCALL_UNSUPPORTED

#define MAP_CHUNK 0x200000ull /* bytes that one exit may convert */
#define WAIT_NS 10000000      /* 10 ms */

#define MSR_APIC_BASE   0x1Bu
#define MSR_MISC_ENABLE 0x1A0u

static uint64_t *gpr(struct kvm_regs *r, unsigned n)
{
	uint64_t *const at[GPRS] = {
		(uint64_t *)&r->rax, (uint64_t *)&r->rcx, (uint64_t *)&r->rdx, (uint64_t *)&r->rbx,
		(uint64_t *)&r->rsp, (uint64_t *)&r->rbp, (uint64_t *)&r->rsi, (uint64_t *)&r->rdi,
		(uint64_t *)&r->r8,  (uint64_t *)&r->r9,  (uint64_t *)&r->r10, (uint64_t *)&r->r11,
		(uint64_t *)&r->r12, (uint64_t *)&r->r13, (uint64_t *)&r->r14, (uint64_t *)&r->r15,
	};

	return at[n];
}

/* What the host sees of a register, and may change: nothing outside the mask. */
static uint64_t get(struct model_vcpu *v, unsigned n)
{
	return (v->td.regs.rcx >> n & 1) != 0 ? *gpr(&v->td.regs, n) : 0;
}

static void set(struct model_vcpu *v, unsigned n, uint64_t value)
{
	if ((v->td.regs.rcx >> n & 1) != 0)
		*gpr(&v->td.regs, n) = value;
}

static int answer(struct model_vcpu *v, uint64_t status)
{
	v->td.regs.rax = TDX_ST_SUCCESS;
	set(v, R10, status);
	return td_finish(v);
}

static int answer_value(struct model_vcpu *v, uint64_t status, uint64_t value)
{
	set(v, R11, value);
	return answer(v, status);
}

/* ---- MapGPA --------------------------------------------------------------------------------- */

static bool is_legal(const struct model_vcpu *v, uint64_t gpa)
{
	return v->td.address_bits >= 64 || gpa >> v->td.address_bits == 0;
}

static bool is_shared(uint64_t gpa)
{
	return (gpa & MODEL_S_BIT) != 0;
}

/* The next chunk goes to the VMM. */
static int map_next(struct model_vcpu *v)
{
	uint64_t left = v->td.map_end - v->td.map_next;
	uint64_t size = left < MAP_CHUNK ? left : MAP_CHUNK;

	return exit_change_pages(v, v->td.map_next & ~MODEL_S_BIT, size / PAGE_BYTES,
				 !is_shared(v->td.map_next), false, PENDING_MAP_GPA);
}

static int map_gpa(struct model_vcpu *v)
{
	uint64_t gpa = get(v, R12), size = get(v, R13), end;

	if (!model.exit_hypercall)
		return answer_value(v, STATUS_UNSUPPORTED, gpa);
	if (size == 0 || !ck_add_u64(gpa, size, &end) || !is_legal(v, gpa) ||
	    !is_legal(v, end - 1) || is_shared(gpa) != is_shared(end - 1))
		return answer_value(v, STATUS_INVALID, gpa);
	if ((gpa | size) % PAGE_BYTES != 0)
		return answer_value(v, STATUS_ALIGN, gpa);
	v->td.map_next = gpa;
	v->td.map_end = end;
	return map_next(v);
}

static int map_done(struct model_vcpu *v)
{
	if (v->run->hypercall.ret != 0)
		return answer_value(v, STATUS_INVALID, v->td.map_next);
	v->td.map_next += MAP_CHUNK;
	if (v->td.map_next >= v->td.map_end)
		return answer(v, STATUS_SUCCESS);
	/* A signal is waiting: the guest asks again for the rest. */
	if (v->run->immediate_exit)
		return answer_value(v, STATUS_RETRY, v->td.map_next);
	return map_next(v);
}

/* ---- KVM_EXIT_TDX --------------------------------------------------------------------------- */

static struct uapi_tdx_exit read_exit(const struct model_vcpu *v)
{
	struct uapi_tdx_exit x;

	memcpy(&x, (const uint8_t *)v->run + UAPI_RUN_TDX_OFFSET, sizeof(x));
	return x;
}

static int leave_tdx(struct model_vcpu *v, struct uapi_tdx_exit *x, enum model_pending pending)
{
	x->flags = 0;
	x->ret = STATUS_UNSUPPORTED;
	memcpy((uint8_t *)v->run + UAPI_RUN_TDX_OFFSET, x, sizeof(*x));
	return exit_leave(v, UAPI_EXIT_TDX, pending);
}

static int get_quote(struct model_vcpu *v)
{
	struct uapi_tdx_exit x = { .nr = UAPI_TDVMCALL_GET_QUOTE };
	uint64_t gpa = get(v, R12);

	if (!is_shared(gpa) || !is_legal(v, gpa))
		return answer(v, STATUS_INVALID);
	x.quote.gpa = gpa & ~MODEL_S_BIT;
	x.quote.size = get(v, R13);
	return leave_tdx(v, &x, PENDING_QUOTE);
}

static int get_info(struct model_vcpu *v)
{
	struct uapi_tdx_exit x = { .nr = UAPI_TDVMCALL_INFO };
	uint64_t leaf = get(v, R12);

	if (leaf > 1)
		return answer(v, STATUS_INVALID);
	x.info.leaf = leaf;
	if (leaf == 1)
		return leave_tdx(v, &x, PENDING_INFO);
	for (unsigned n = R11; n <= R14; n++)
		set(v, n, 0);
	return answer(v, STATUS_SUCCESS);
}

static int info_done(struct model_vcpu *v)
{
	const struct uapi_tdx_exit x = read_exit(v);

	if (x.ret == STATUS_SUCCESS) {
		set(v, R11, x.info.r11);
		set(v, R12, x.info.r12);
		set(v, R13, x.info.r13);
		set(v, R14, x.info.r14);
	}
	return answer(v, x.ret);
}

static int setup_notify(struct model_vcpu *v)
{
	struct uapi_tdx_exit x = { .nr = UAPI_TDVMCALL_SETUP_NOTIFY };
	uint64_t vector = get(v, R12);

	if (vector < 32 || vector > 255)
		return answer(v, STATUS_INVALID);
	x.notify.vector = vector;
	return leave_tdx(v, &x, PENDING_NOTIFY);
}

/* ---- the rest ------------------------------------------------------------------------------- */

/* Every register that the guest showed, in its place; RAX is the module's status, RCX the mask. */
static int fatal(struct model_vcpu *v)
{
	struct kvm_run *run = v->run;

	run->system_event.type = UAPI_SYSTEM_EVENT_TDX_FATAL;
	run->system_event.ndata = GPRS;
	for (unsigned n = RAX; n < GPRS; n++)
		run->system_event.data[n] = get(v, n);
	run->system_event.data[RAX] = TDX_ST_SUCCESS;
	run->system_event.data[RCX] = v->td.regs.rcx;
	return exit_leave(v, KVM_EXIT_SYSTEM_EVENT, PENDING_TD_DONE);
}

static int port_io(struct model_vcpu *v)
{
	uint64_t size = get(v, R12), write = get(v, R13), port = get(v, R14);

	if ((size != 1 && size != 2 && size != 4) || write > 1 || port > 0xFFFF)
		return answer(v, STATUS_INVALID);
	v->td.size = (unsigned)size;
	return exit_port(v, (uint16_t)port, v->td.size, write, get(v, R15),
			 write ? PENDING_TD_DONE : PENDING_TD_IN);
}

static int mmio(struct model_vcpu *v)
{
	uint64_t size = get(v, R12), write = get(v, R13), gpa = get(v, R14);

	if ((size != 1 && size != 2 && size != 4 && size != 8) || write > 1 ||
	    !is_shared(gpa) || !is_shared(gpa + size - 1) || !is_legal(v, gpa))
		return answer(v, STATUS_INVALID);
	v->td.size = (unsigned)size;
	return exit_mmio(v, gpa & ~MODEL_S_BIT, v->td.size, write, get(v, R15),
			 write ? PENDING_TD_DONE : PENDING_TD_READ);
}

static int mmio_read_done(struct model_vcpu *v)
{
	uint64_t value = 0;

	memcpy(&value, v->run->mmio.data, v->td.size);
	return answer_value(v, STATUS_SUCCESS, value);
}

/* KVM answers from the table of KVM_SET_CPUID2; what is not there is zero. */
static int cpuid(struct model_vcpu *v)
{
	struct kvm_cpuid_entry2 found = { 0 };
	uint64_t leaf = get(v, R12), index = get(v, R13);

	for (uint32_t i = 0; i < td_cpuid.head.nent && i < KVM_CPUID_MAX; i++) {
		const struct kvm_cpuid_entry2 *c = &td_cpuid.head.entries[i];

		if (c->function == leaf && ((c->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX) == 0 ||
					    c->index == index))
			found = *c;
	}
	set(v, R12, found.eax);
	set(v, R13, found.ebx);
	set(v, R14, found.ecx);
	set(v, R15, found.edx);
	return answer(v, STATUS_SUCCESS);
}

/* The few that KVM would emulate and an image could want. */
static int rdmsr(struct model_vcpu *v)
{
	switch (get(v, R12)) {
	case MSR_APIC_BASE:
		return answer_value(v, STATUS_SUCCESS, 0xFEE00D00);
	case MSR_MISC_ENABLE:
		return answer_value(v, STATUS_SUCCESS, 1);
	}
	return answer(v, STATUS_INVALID);
}

/* Before the fold nothing wakes a processor: it sleeps until the VM ends. */
static int halt(struct model_vcpu *v)
{
	const struct timespec wait = { .tv_nsec = WAIT_NS };

	v->pending = PENDING_HALT;
	(void)ppoll(NULL, 0, &wait, NULL);
	return -EINTR;
}

int td_vmcall(struct model_vcpu *v)
{
	if ((v->td.regs.rcx & MASK_FORBIDDEN) != 0) {
		v->td.regs.rax = TDX_ST_OPERAND_INVALID | TDX_OP_RCX;
		return td_finish(v);
	}
	if (get(v, R10) != 0) /* a KVM hypercall: none that a TD could use */
		return answer(v, (uint64_t)-(int64_t)ENOSYS);
	switch (get(v, R11)) {
	case CALL_INFO:
		return get_info(v);
	case CALL_MAP_GPA:
		return map_gpa(v);
	case CALL_QUOTE:
		return get_quote(v);
	case CALL_FATAL:
		return fatal(v);
	case CALL_NOTIFY:
		return setup_notify(v);
	case CALL_CPUID:
		return cpuid(v);
	case CALL_HLT:
		return halt(v);
	case CALL_IO:
		return port_io(v);
	case CALL_RDMSR:
		return rdmsr(v);
	case CALL_WRMSR:
		return answer(v, STATUS_INVALID);
	case CALL_MMIO:
		return mmio(v);
	}
	return answer(v, STATUS_UNSUPPORTED);
}

int td_resume(struct model_vcpu *v)
{
	switch (v->pending) {
	case PENDING_MAP_GPA:
		return map_done(v);
	case PENDING_INFO:
		return info_done(v);
	case PENDING_QUOTE:
	case PENDING_NOTIFY:
		return answer(v, read_exit(v).ret);
	case PENDING_TD_IN:
		return answer_value(v, STATUS_SUCCESS, exit_port_value(v, v->td.size));
	case PENDING_TD_READ:
		return mmio_read_done(v);
	case PENDING_TD_DONE:
		return answer(v, STATUS_SUCCESS);
	case PENDING_HALT:
		return halt(v);
	case PENDING_AGENT_SHARE:
	case PENDING_AGENT_QUOTE:
		return td_agent_resume(v);
	default:
		return -EINVAL;
	}
}
