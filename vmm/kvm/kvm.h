/* Every KVM ioctl of the VMM, one thin function each. Nothing else in the VMM calls ioctl(2):
 * the platform model replaces this file at link time. Unless said otherwise a function returns
 * 0 or -EX_HOST and fills *e with the name of the ioctl and its errno.
 * Reference: Documentation/virt/kvm/api.rst of Linux. */
#ifndef PAVISE_VMM_KVM_KVM_H
#define PAVISE_VMM_KVM_KVM_H

#include "common/err.h"

#include <linux/kvm.h>
#include <stddef.h>
#include <stdint.h>

#define KVM_CPUID_MAX 256     /* entries */
#define KVM_MSI_ROUTE_MAX 512 /* entries of one routing table */

/* A CPUID table with room for KVM_CPUID_MAX of head.entries. */
union kvm_cpuid_table {
	struct kvm_cpuid2 head;
	uint8_t room[sizeof(struct kvm_cpuid2) + KVM_CPUID_MAX * sizeof(struct kvm_cpuid_entry2)];
};

/* One MSI route: what is written where when gsi fires. */
struct kvm_msi_route {
	uint32_t gsi;
	uint64_t address;
	uint32_t data;
};

/* System: on the descriptor of /dev/kvm. */
int kvm_check_api(int kvm_fd, struct err *e);              /* version 12, or -EX_HOST */
int kvm_check_cap(int kvm_fd, unsigned cap);               /* KVM's answer; 0: absent */
int kvm_run_size(int kvm_fd, size_t *size, struct err *e); /* bytes of struct kvm_run's map */
int kvm_supported_cpuid(int kvm_fd, union kvm_cpuid_table *out, struct err *e);
int kvm_create_vm(int kvm_fd, int *vm_fd, struct err *e);  /* caller owns *vm_fd */

/* VM: before sealing. */
int kvm_set_fixed_pages(int vm_fd, uint32_t tss_gpa, uint64_t identity_map_gpa, struct err *e);
int kvm_split_irqchip(int vm_fd, unsigned pins, struct err *e);
int kvm_set_memory(int vm_fd, uint32_t slot, uint64_t gpa, uint64_t size, uint64_t host,
		   struct err *e);
int kvm_create_vcpu(int vm_fd, unsigned id, int *vcpu_fd, struct err *e); /* caller owns it */
/* A write of 1 to the eventfd raises gsi, without leaving the kernel. */
int kvm_irqfd(int vm_fd, int eventfd, uint32_t gsi, struct err *e);
/* A guest write of len bytes (0: any, 1, 2, 4, 8) at gpa signals the eventfd instead of leaving
 * to user space. datamatch: only this value; NULL for any. */
int kvm_ioeventfd(int vm_fd, int eventfd, uint64_t gpa, uint32_t len, const uint64_t *datamatch,
		  struct err *e);

/* VM: also at run time. */
/* Replaces the whole table of GSI routes by count <= KVM_MSI_ROUTE_MAX MSI routes. */
int kvm_set_gsi_routing(int vm_fd, const struct kvm_msi_route *route, unsigned count,
			struct err *e);
/* Delivers one MSI now. A guest that programmed nonsense gets no interrupt: not an error here. */
void kvm_signal_msi(int vm_fd, uint64_t address, uint32_t data);

/* vCPU: before sealing, but for the last three. */
int kvm_set_cpuid(int vcpu_fd, union kvm_cpuid_table *table, struct err *e);
int kvm_set_msr(int vcpu_fd, uint32_t index, uint64_t value, struct err *e);
int kvm_set_regs(int vcpu_fd, const struct kvm_regs *regs, struct err *e);
int kvm_set_sregs(int vcpu_fd, const struct kvm_sregs *sregs, struct err *e);
int kvm_get_regs(int vcpu_fd, struct kvm_regs *regs, struct err *e);
int kvm_get_sregs(int vcpu_fd, struct kvm_sregs *sregs, struct err *e);
int kvm_run_vcpu(int vcpu_fd); /* 0, or a negative errno */

#endif
