#include "vmm/vcpu.h"

#include "vmm/exit.h"
#include "vmm/kvm/kvm.h"
#include "vmm/vm.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>

#define KICK_SIGNAL SIGUSR1

/* SDM vol. 4 table 2-2; values a BIOS leaves behind and Linux looks at. */
#define MSR_MISC_ENABLE   0x1A0u
#define MISC_FAST_STRINGS 1u
#define MSR_MTRR_DEFTYPE  0x2FFu
#define MTRR_ENABLED_WB   0x806u /* enabled, write-back where nothing else is said */

#define CPUID1_ECX_TSC_DEADLINE (1u << 24)
#define CPUID1_ECX_HYPERVISOR   (1u << 31)

/* What KVM supports, plus what only the VMM knows: who this processor is and that it is virtual.
 * No feature is hidden: a plain guest may use all its host has. */
static void adjust_cpuid(union kvm_cpuid_table *t, const struct vm *vm, unsigned id,
			 int tsc_deadline)
{
	for (uint32_t i = 0; i < t->head.nent && i < KVM_CPUID_MAX; i++) {
		struct kvm_cpuid_entry2 *c = &t->head.entries[i];

		switch (c->function) {
		case 1:
			c->ebx = (c->ebx & 0xFFFF) | id << 24 | (vm->cpu_count & 0xFF) << 16;
			c->ecx |= CPUID1_ECX_HYPERVISOR;
			if (tsc_deadline)
				c->ecx |= CPUID1_ECX_TSC_DEADLINE;
			break;
		case 0xA: /* no virtual PMU: one channel less between guests */
		case 0x23:
			c->eax = c->ebx = c->ecx = c->edx = 0;
			break;
		case 0xB:
		case 0x1F:
			c->edx = id; /* x2APIC id, in every sub-leaf */
			break;
		case 0x8000001E:
			c->eax = id; /* AMD's extended APIC id */
			break;
		}
	}
}

int vcpu_cpuid(const struct vm *vm, unsigned index, union kvm_cpuid_table *out, struct err *e)
{
	int tsc_deadline = kvm_check_cap(vm->kvm_fd, KVM_CAP_TSC_DEADLINE_TIMER) > 0;
	int rc = kvm_supported_cpuid(vm->kvm_fd, out, e);

	if (rc == 0)
		adjust_cpuid(out, vm, index, tsc_deadline);
	return rc;
}

static int set_up_cpuid(struct vm *vm, struct vcpu *v, struct err *e)
{
	static union kvm_cpuid_table table; /* large, and main is the only caller */
	int rc = vcpu_cpuid(vm, v->index, &table, e);

	if (rc < 0)
		return rc;
	if (vm->tee->adjust_cpuid)
		rc = vm->tee->adjust_cpuid(vm, &table, e);
	return rc < 0 ? rc : kvm_set_cpuid(v->fd, &table, e);
}

int vcpu_create(struct vm *vm, unsigned index, struct err *e)
{
	struct vcpu *v = &vm->vcpu[index];
	void *run;
	int rc;

	v->vm = vm;
	v->index = index;
	rc = kvm_run_size(vm->kvm_fd, &v->run_size, e);
	if (rc == 0)
		rc = kvm_create_vcpu(vm->vm_fd, index, &v->fd, e);
	if (rc < 0)
		return rc;
	run = mmap(NULL, v->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, v->fd, 0);
	if (run == MAP_FAILED)
		return err_errno(e, EX_HOST, errno, "vcpu %u: cannot map its run area", index);
	v->run = run;
	rc = set_up_cpuid(vm, v, e);
	if (vm->tee->owns_start_state)
		return rc;
	if (rc == 0)
		rc = kvm_set_msr(v->fd, MSR_MISC_ENABLE, MISC_FAST_STRINGS, e);
	if (rc == 0)
		rc = kvm_set_msr(v->fd, MSR_MTRR_DEFTYPE, MTRR_ENABLED_WB, e);
	return rc;
}

void vcpu_loop(struct vcpu *v)
{
	while (!atomic_load(&v->vm->stopping)) {
		int rc = kvm_run_vcpu(v->fd);

		/* EAGAIN: a processor that waits for INIT was woken by something else. */
		if (rc == -EINTR || rc == -EAGAIN)
			continue;
		exit_handle(v, rc);
	}
}

void vcpu_kick(struct vcpu *v)
{
	/* immediate_exit closes the gap between the look at `stopping` and KVM_RUN, in which the
	 * signal would be lost (api.rst, KVM_CAP_IMMEDIATE_EXIT). */
	__atomic_store_n(&v->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
	(void)pthread_kill(v->thread, KICK_SIGNAL);
}

static void do_nothing(int number)
{
	(void)number;
}

int vcpu_init_signals(struct err *e)
{
	struct sigaction kick = { .sa_handler = do_nothing };
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	/* A peer that went away or a log at its size limit is an error of write(2), not the end. */
	if (sigaction(KICK_SIGNAL, &kick, NULL) < 0 || sigaction(SIGPIPE, &ignore, NULL) < 0 ||
	    sigaction(SIGXFSZ, &ignore, NULL) < 0)
		return err_errno(e, EX_INTERNAL, errno, "vmm: cannot set signal handlers");
	return 0;
}
