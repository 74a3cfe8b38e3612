#include "vmm/exit.h"

#include "vmm/kvm/kvm.h"
#include "vmm/vm.h"

#include <errno.h>
#include <string.h>

/* SDM vol. 1 §19.5: string instructions make one exit for many accesses of the same port. */
static void handle_pio(struct vcpu *v)
{
	const struct kvm_run *run = v->run;
	uint8_t *data = (uint8_t *)v->run + run->io.data_offset;
	unsigned size = run->io.size;

	for (uint32_t i = 0; i < run->io.count; i++, data += size) {
		uint64_t value = 0;

		if (run->io.direction == KVM_EXIT_IO_OUT) {
			memcpy(&value, data, size);
			dispatch_write(&v->vm->pio, run->io.port, size, value);
		} else {
			value = dispatch_read(&v->vm->pio, run->io.port, size);
			memcpy(data, &value, size);
		}
	}
}

static void handle_mmio(struct vcpu *v)
{
	struct kvm_run *run = v->run;
	unsigned size = run->mmio.len;
	uint64_t value = ~0ull;

	/* KVM cuts an access that crosses a page; a piece of another length reaches no device. */
	if (size != 1 && size != 2 && size != 4 && size != 8) {
		if (!run->mmio.is_write)
			memset(run->mmio.data, 0xFF, sizeof(run->mmio.data));
		return;
	}
	if (run->mmio.is_write) {
		value = 0;
		memcpy(&value, run->mmio.data, size);
		dispatch_write(&v->vm->mmio, run->mmio.phys_addr, size, value);
	} else {
		value = dispatch_read(&v->vm->mmio, run->mmio.phys_addr, size);
		memcpy(run->mmio.data, &value, size);
	}
}

/* Registers tell the guest's owner where it broke; they are in the log of a plain guest only,
 * since KVM cannot read those of a confidential one. */
static void log_registers(struct vcpu *v)
{
	struct err e = { 0 };
	struct kvm_regs r;
	struct kvm_sregs s;

	if (v->vm->tee->confidential)
		return;
	if (kvm_get_regs(v->fd, &r, &e) < 0 || kvm_get_sregs(v->fd, &s, &e) < 0) {
		vm_log(v->vm, "vcpu %u: registers: %s", v->index, e.text);
		return;
	}
	vm_log(v->vm, "vcpu %u: rip %llx rsp %llx rflags %llx cs %x cr0 %llx cr2 %llx cr3 %llx "
	       "cr4 %llx efer %llx", v->index, r.rip, r.rsp, r.rflags, s.cs.selector, s.cr0, s.cr2,
	       s.cr3, s.cr4, s.efer);
	vm_log(v->vm, "vcpu %u: rax %llx rbx %llx rcx %llx rdx %llx rsi %llx rdi %llx rbp %llx",
	       v->index, r.rax, r.rbx, r.rcx, r.rdx, r.rsi, r.rdi, r.rbp);
}

static void kvm_error(struct vcpu *v, const char *what, uint32_t detail)
{
	if (atomic_load(&v->vm->stopping))
		return; /* another vCPU's end is the cause */
	vm_log(v->vm, "vcpu %u: %s (%u)", v->index, what, detail);
	log_registers(v);
	vm_end(v->vm, VM_END_KVM_ERROR, detail);
}

static void handle_internal_error(struct vcpu *v)
{
	const struct kvm_run *run = v->run;
	size_t n = run->emulation_failure.insn_size;
	char hex[2 * 15 + 1] = "";

	if (run->internal.suberror == KVM_INTERNAL_ERROR_EMULATION && run->internal.ndata >= 1 &&
	    (run->emulation_failure.flags &
	     KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES)) {
		for (size_t i = 0; i < n && i < 15; i++) {
			static const char digit[] = "0123456789abcdef";
			uint8_t byte = run->emulation_failure.insn_bytes[i];

			hex[2 * i] = digit[byte >> 4];
			hex[2 * i + 1] = digit[byte & 15];
		}
		vm_log(v->vm, "vcpu %u: KVM cannot emulate the instruction %s", v->index, hex);
	}
	kvm_error(v, "KVM internal error, suberror", run->internal.suberror);
}

void exit_handle(struct vcpu *v, int rc)
{
	struct vm *vm = v->vm;

	if (vm->tee->exit && vm->tee->exit(v, rc))
		return;
	if (rc < 0) {
		kvm_error(v, "KVM_RUN failed with errno", (uint32_t)-rc);
		return;
	}
	switch (v->run->exit_reason) {
	case KVM_EXIT_IO:
		pthread_mutex_lock(&vm->lock);
		handle_pio(v);
		pthread_mutex_unlock(&vm->lock);
		break;
	case KVM_EXIT_MMIO:
		pthread_mutex_lock(&vm->lock);
		handle_mmio(v);
		pthread_mutex_unlock(&vm->lock);
		break;
	case KVM_EXIT_INTR:
	case KVM_EXIT_IOAPIC_EOI: /* of a pin set to level: ours are all edge */
		break;
	case KVM_EXIT_SHUTDOWN:
		if (!atomic_load(&vm->stopping)) {
			vm_log(vm, "vcpu %u: triple fault", v->index);
			log_registers(v);
		}
		vm_end(vm, VM_END_TRIPLE_FAULT, 0);
		break;
	case KVM_EXIT_INTERNAL_ERROR:
		handle_internal_error(v);
		break;
	default:
		kvm_error(v, "unexpected KVM exit reason", v->run->exit_reason);
	}
}
