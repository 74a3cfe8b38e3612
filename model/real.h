/* The seam. pavise-vmm-sim links the objects of pavise-vmm unchanged; `ld --wrap` sends their calls
 * of the functions below to __wrap_NAME in seam.c, where __real_NAME is vmm/kvm/kvm.c's own.
 * module.mk holds the list once more: a name missing there is a link error here. */
#ifndef PAVISE_MODEL_REAL_H
#define PAVISE_MODEL_REAL_H

#include "vmm/kvm/kvm.h"

struct config;

int __real_config_check_environment(const struct config *c, struct err *e);
int __real_kvm_check_cap(int kvm_fd, unsigned cap);
int __real_kvm_supported_cpuid(int kvm_fd, union kvm_cpuid_table *out, struct err *e);
int __real_kvm_set_memory(int vm_fd, uint32_t slot, uint64_t gpa, uint64_t size, uint64_t host,
			  struct err *e);
int __real_kvm_split_irqchip(int vm_fd, unsigned pins, struct err *e);
int __real_kvm_create_vcpu(int vm_fd, unsigned id, int *vcpu_fd, struct err *e);
int __real_kvm_set_cpuid(int vcpu_fd, union kvm_cpuid_table *table, struct err *e);
int __real_kvm_set_msr(int vcpu_fd, uint32_t index, uint64_t value, struct err *e);
int __real_kvm_set_regs(int vcpu_fd, const struct kvm_regs *regs, struct err *e);
int __real_kvm_set_sregs(int vcpu_fd, const struct kvm_sregs *sregs, struct err *e);
int __real_kvm_get_regs(int vcpu_fd, struct kvm_regs *regs, struct err *e);
int __real_kvm_get_sregs(int vcpu_fd, struct kvm_sregs *sregs, struct err *e);
int __real_kvm_run_vcpu(int vcpu_fd);

int __wrap_config_check_environment(const struct config *c, struct err *e);
int __wrap_kvm_check_cap(int kvm_fd, unsigned cap);
int __wrap_kvm_supported_cpuid(int kvm_fd, union kvm_cpuid_table *out, struct err *e);
int __wrap_kvm_set_memory(int vm_fd, uint32_t slot, uint64_t gpa, uint64_t size, uint64_t host,
			  struct err *e);
int __wrap_kvm_split_irqchip(int vm_fd, unsigned pins, struct err *e);
int __wrap_kvm_create_vcpu(int vm_fd, unsigned id, int *vcpu_fd, struct err *e);
int __wrap_kvm_set_cpuid(int vcpu_fd, union kvm_cpuid_table *table, struct err *e);
int __wrap_kvm_set_msr(int vcpu_fd, uint32_t index, uint64_t value, struct err *e);
int __wrap_kvm_set_regs(int vcpu_fd, const struct kvm_regs *regs, struct err *e);
int __wrap_kvm_set_sregs(int vcpu_fd, const struct kvm_sregs *sregs, struct err *e);
int __wrap_kvm_get_regs(int vcpu_fd, struct kvm_regs *regs, struct err *e);
int __wrap_kvm_get_sregs(int vcpu_fd, struct kvm_sregs *sregs, struct err *e);
int __wrap_kvm_run_vcpu(int vcpu_fd);

#endif
