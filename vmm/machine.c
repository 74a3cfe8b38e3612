#include "vmm/machine.h"

#include "common/boot_block.h"
#include "common/plan.h"
#include "vmm/bus/pci.h"
#include "vmm/config.h"
#include "vmm/kvm/kvm.h"
#include "vmm/tee/tee.h"
#include "vmm/virtio/vdev.h"
#include "vmm/vm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* The glue between devices and VM: the devices know nothing of KVM and can be tested alone. */

static void send_msi(void *ctx, uint64_t address, uint32_t data)
{
	const struct vm *vm = ctx;

	kvm_signal_msi(vm->vm_fd, address, data);
}

static void set_uart_line(void *ctx, int level)
{
	struct vm *vm = ctx;

	ioapic_set_line(&vm->ioapic, UART_GSI, level);
}

/* The console is a regular file: a write ends at once, and one that fails loses the byte. */
static void put_console(void *ctx, uint8_t byte)
{
	const struct vm *vm = ctx;

	while (write(vm->console_fd, &byte, 1) < 0 && errno == EINTR)
		;
}

static void end_by_guest(void *ctx, enum vm_end end, uint32_t detail)
{
	vm_end(ctx, end, detail);
}

static void log_hand_over(void *ctx)
{
	vm_mark(ctx, VM_MOMENT_HANDED_OVER);
	vm_log(ctx, "the firmware is done and hands over");
}

static void log_tpm(void *ctx, const char *text)
{
	vm_log(ctx, "swtpm: %s: the TPM fails from now on", text);
}

static int add_uart_and_power(struct vm *vm, struct err *e)
{
	int rc;

	uart_init(&vm->uart, put_console, vm, set_uart_line, vm);
	power_init(&vm->power, end_by_guest, log_hand_over, vm);
	rc = dispatch_add_pio(vm, UART_PORT, UART_PORTS, uart_read, uart_write, &vm->uart, e);
	if (rc == 0)
		rc = dispatch_add_pio(vm, PORT_SLEEP_CONTROL, 2, power_sleep_read,
				      power_sleep_write, &vm->power, e);
	if (rc == 0)
		rc = dispatch_add_pio(vm, PORT_RESET, 1, power_reset_read, power_reset_write,
				      &vm->power, e);
	if (rc == 0)
		rc = dispatch_add_pio(vm, PORT_STOP, 4, power_stop_read, power_stop_write,
				      &vm->power, e);
	return rc;
}

static int add_platform(struct vm *vm, const struct config *c, struct err *e)
{
	int rc = add_uart_and_power(vm, e);

	ioapic_init(&vm->ioapic, send_msi, vm);
	if (rc == 0)
		rc = dispatch_add_mmio(vm, IOAPIC_BASE, IOAPIC_MMIO_SIZE, ioapic_read,
				       ioapic_write, &vm->ioapic, e);
	if (rc == 0 && c->tpm >= 0) {
		rc = tpm_crb_init(&vm->tpm, c->tpm, &vm->stopping, log_tpm, vm, e);
		if (rc == 0)
			rc = dispatch_add_mmio(vm, TPM_CRB_BASE, TPM_CRB_SIZE, tpm_crb_read,
					       tpm_crb_write, &vm->tpm, e);
	}
	return rc;
}

static int add_devices(struct vm *vm, const struct config *c, struct err *e)
{
	int rc = pci_init(vm, e);

	for (unsigned i = 0; rc == 0 && i < c->device_count; i++) {
		struct vdev *device;

		rc = vdev_create(vm, i + 1, c->device[i].type, c->device[i].fd, &device, e);
	}
	return rc;
}

/* All vCPUs exist before the plan is loaded: an SEV-SNP launch encrypts them. Then nothing can be
 * created from /dev/kvm any more. */
static int add_vcpus(struct vm *vm, unsigned count, struct err *e)
{
	int most = kvm_check_cap(vm->kvm_fd, KVM_CAP_MAX_VCPUS);
	int rc = 0;

	if (most > 0 && count > (unsigned)most)
		return err_set(e, EX_HOST, "cpus: %u, but this host's KVM allows %d: give fewer",
			       count, most);
	for (unsigned i = 0; rc == 0 && i < count; i++)
		rc = vcpu_create(vm, i, e);
	if (rc == 0) {
		close(vm->kvm_fd);
		vm->kvm_fd = -1;
	}
	return rc;
}

/* The plan as mapped; its regions borrow from the file. */
struct loaded_plan {
	struct plan plan;
	struct fw_boot_block block;
	void *file;
	size_t size;
};

/* A plan that could change after the launcher measured it is no plan. */
static int map_plan(struct loaded_plan *l, int fd, struct err *e)
{
	const int wanted = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW;
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;

	if (seals < 0 || (seals & wanted) != wanted)
		return err_set(e, EX_HOST, "plan: descriptor %d is not a sealed memfd", fd);
	if (fstat(fd, &st) < 0)
		return err_errno(e, EX_HOST, errno, "plan: cannot look at descriptor %d", fd);
	if (st.st_size < 1 || (uint64_t)st.st_size > PLAN_FILE_MAX)
		return err_set(e, EX_MALFORMED, "plan: %lld bytes", (long long)st.st_size);
	l->size = (size_t)st.st_size;
	l->file = mmap(NULL, l->size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (l->file == MAP_FAILED)
		return err_errno(e, EX_HOST, errno, "plan: cannot map descriptor %d", fd);
	close(fd);
	return 0;
}

/* Everything about the plan that can be checked before the machine exists. */
static int read_plan(struct vm *vm, struct loaded_plan *l, const struct config *c, struct err *e)
{
	int rc = map_plan(l, c->plan, e);

	if (rc == 0)
		rc = plan_parse("plan", l->file, l->size, &l->plan, e);
	if (rc < 0)
		return rc;
	vm->tee = tee_find(l->plan.tee);
	if (!vm->tee)
		return err_set(e, EX_HOST, "plan: made for another kind of machine (%d) than this "
			       "VMM can make", (int)l->plan.tee);
	rc = tee_check_config(l->plan.tee, c, e);
	if (rc < 0)
		return rc;
	rc = boot_block_fill(&l->block, vm->memory.size, vm->cpu_count, vm->has_tpm,
			     vm->pci_slots, e);
	return rc < 0 ? rc : tee_check_plan(vm, &l->plan, &l->block, e);
}

static int init_vm(struct vm *vm, const struct config *c, struct err *e)
{
	snprintf(vm->name, sizeof(vm->name), "%s", c->name);
	vm->kvm_fd = c->kvm;
	vm->vm_fd = -1;
	vm->log_fd = c->log;
	vm->console_fd = c->console;
	vm->next_gsi = VM_GSI_FIRST;
	vm->cpu_count = (unsigned)c->cpus;
	vm->has_tpm = c->tpm >= 0;
	vm->pci_slots = c->device_count;
	clock_gettime(CLOCK_MONOTONIC, &vm->start);
	if (pthread_mutex_init(&vm->lock, NULL) != 0)
		return err_set(e, EX_INTERNAL, "vm: cannot make the device lock");
	vm->end_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (vm->end_fd < 0)
		return err_errno(e, EX_HOST, errno, "vm: cannot make an eventfd");
	return 0;
}

int machine_build(struct vm *vm, const struct config *c, struct err *e)
{
	static struct loaded_plan l; /* large */
	int rc = init_vm(vm, c, e);

	if (rc == 0)
		rc = memory_map(&vm->memory, c->ram, c->memory, e);
	if (rc == 0)
		rc = vm_check_kvm(vm, e);
	if (rc == 0)
		rc = read_plan(vm, &l, c, e);
	if (rc == 0)
		rc = vm->tee->create_vm(vm, &l.plan, c, e);
	if (rc == 0)
		rc = add_platform(vm, c, e);
	if (rc == 0)
		rc = add_devices(vm, c, e);
	if (rc == 0)
		rc = add_vcpus(vm, vm->cpu_count, e);
	if (rc < 0)
		return rc;
	vm_mark(vm, VM_MOMENT_MADE);
	rc = vm->tee->load(vm, &l.plan, &l.block, e);
	if (rc < 0)
		return rc;
	vm_mark(vm, VM_MOMENT_LOADED);
	munmap(l.file, l.size);
	return 0;
}
