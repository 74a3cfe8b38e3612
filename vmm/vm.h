/* The virtual machine: one object that lives as long as the process. Everything in it is made
 * before sealing; at run time only device state changes, under the big device lock. */
#ifndef PAVISE_VMM_VM_H
#define PAVISE_VMM_VM_H

#include "common/err.h"
#include "common/record.h"
#include "firmware/layout.h"
#include "vmm/bus/dispatch.h"
#include "vmm/memory.h"
#include "vmm/platform/ioapic.h"
#include "vmm/platform/power.h"
#include "vmm/platform/tpm_crb.h"
#include "vmm/platform/uart.h"
#include "vmm/tee/private_memory.h"
#include "vmm/tee/snp.h"
#include "vmm/tee/tdx.h"
#include "vmm/tee/tee.h"
#include "vmm/vcpu.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define VM_VCPU_MAX FW_BOOT_CPU_MAX
#define VM_NAME_MAX 32
#define VM_GSI_FIRST IOAPIC_PINS /* GSIs below belong to the IOAPIC pins */
#define VM_GSI_MAX 1024          /* KVM's own limit is 4096 */

struct pci; /* vmm/bus/pci.c */

struct vm {
	char name[VM_NAME_MAX + 1];
	int kvm_fd;              /* /dev/kvm: -1 once the vCPUs exist */
	int vm_fd;               /* for the functions of vmm/kvm/kvm.h */
	int log_fd, console_fd;  /* regular files, append only */
	struct timespec start;   /* log lines count from here; CLOCK_MONOTONIC */

	pthread_mutex_t lock;    /* the big device lock: held around every device callback */
	struct memory memory;
	struct dispatch pio, mmio;
	uint32_t next_gsi;

	struct uart uart;
	struct ioapic ioapic;
	struct power power;
	struct tpm_crb tpm;
	bool has_tpm;
	unsigned pci_slots;      /* devices on the bus */
	struct pci *pci;         /* set by pci_init, owned by it */

	const struct tee_ops *tee; /* the kind of guest: the plan says it */
	struct private_memory private_memory; /* confidential guests only */
	struct snp snp;          /* SEV-SNP guests only */
	struct tdx tdx;          /* trust domains only */
	atomic_uint moment[VM_MOMENTS]; /* enum vm_moment; 0: not yet */
	uint64_t pages_added;    /* by the launch, private and encrypted */

	unsigned cpu_count;
	struct vcpu vcpu[VM_VCPU_MAX];

	/* How it ends. The first call of vm_end wins; end_fd (an eventfd) wakes the main thread. */
	atomic_uint end;         /* enum vm_end, 0 while running */
	atomic_uint end_detail;
	atomic_bool stopping;    /* every wait of a vCPU thread looks at it */
	int end_fd;
};

/* Checks that the KVM behind vm->kvm_fd has what any guest of ours needs. 0, -EX_HOST. */
int vm_check_kvm(const struct vm *vm, struct err *e);

/* Hands out GSIs for irqfds, upward from VM_GSI_FIRST. -EX_INTERNAL when none is left. */
int vm_alloc_gsi(struct vm *vm, uint32_t *gsi, struct err *e);

/* That moment is now; the first time counts. From any thread. */
void vm_mark(struct vm *vm, enum vm_moment moment);

/* Ends the run: safe from any thread and from device callbacks, returns at once. */
void vm_end(struct vm *vm, enum vm_end end, uint32_t detail);

/* One line into the VM's text log, with the seconds since the process began. Guests can cause some
 * of them, so there is a budget of lines; past it they are dropped. Never blocks for ever: the log
 * is a regular file. */
void vm_log(struct vm *vm, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
