/* A trust domain on the model with neither KVM nor module below: KVM agrees with everything, the
 * module answers as told, and a "guest" is one TDCALL with registers the test chooses. */
#ifndef PAVISE_TESTS_MODEL_TD_BENCH_H
#define PAVISE_TESTS_MODEL_TD_BENCH_H

#include "model/td.h"

#define TD_MEMORY (8u << 20)
#define TD_VM_FD  1000

/* How far the launch went. */
enum td_step { TD_CREATED, TD_IRQCHIP, TD_INITED, TD_VCPU, TD_VCPU_READY, TD_ADDED, TD_FINAL };

/* Makes a TD and takes it up to that step; td_leave ends it. */
void td_reach(enum td_step step);
void td_leave(void);

/* The module answers this command with this status, all others with success. */
void td_module_says(uint32_t command, uint64_t status);
unsigned td_module_calls(void); /* since the last look */
/* It closes the connection before the next answer. */
void td_module_dies(void);

extern uint8_t *td_ram;       /* the shared side of [0, TD_MEMORY) */
extern uint8_t td_source[2][4096];
extern int td_vcpu_fd;        /* of the first vCPU */

/* A well-formed INIT_VM. */
struct tdx_init_vm td_init_vm(void);
struct uapi_tdx_mem_region td_region(uint64_t gpa, uint64_t pages);
union kvm_cpuid_table td_vcpu_cpuid(void);

/* One TDCALL at the image's first site, or its last (the fold): what KVM_RUN answers. */
int td_call(const struct kvm_regs *regs, bool last);
/* KVM_RUN again, after an exit was answered. */
int td_again(void);
/* Another exit of the plain VM: run is filled in. */
int td_exit(void (*fill)(struct kvm_run *run));
extern struct kvm_regs td_after; /* the guest's registers */
struct kvm_run *td_run(void);

#endif
