/* One virtual processor and its thread. */
#ifndef PAVISE_VMM_VCPU_H
#define PAVISE_VMM_VCPU_H

#include "common/err.h"

#include <linux/kvm.h>
#include <pthread.h>
#include <stddef.h>

struct vm;

struct vcpu {
	struct vm *vm;
	unsigned index;          /* also its APIC id */
	int fd;
	struct kvm_run *run;     /* shared with the kernel, written by it */
	size_t run_size;         /* bytes mapped at run */
	pthread_t thread;
	unsigned spurious_faults; /* in a row, without a cause in private_memory's book */
};

/* Makes vCPU `index` of vm: CPUID, MSRs, run area. The first one's start state comes from the
 * plan (vmm/tee/), the others wait for INIT and SIPI in the kernel. 0, -EX_HOST. */
int vcpu_create(struct vm *vm, unsigned index, struct err *e);

/* CPUID of vCPU `index` as this host's KVM supports it, before the kind of guest changes it. It need
 * not exist yet; vm->kvm_fd is open. 0, -EX_HOST. */
union kvm_cpuid_table;
int vcpu_cpuid(const struct vm *vm, unsigned index, union kvm_cpuid_table *out, struct err *e);

/* Runs the guest on the calling thread until vm->stopping: returns then. */
void vcpu_loop(struct vcpu *v);

/* Makes a vCPU leave the guest soon, from any thread; vm->stopping must be set before. */
void vcpu_kick(struct vcpu *v);

/* Once per process, before threads: the handler of the kick signal, which does nothing. */
int vcpu_init_signals(struct err *e);

#endif
