#include "vmm/kvm/kvm.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

static int failed(struct err *e, const char *name)
{
	return err_errno(e, EX_HOST, errno, "kvm: %s", name);
}

int kvm_check_api(int kvm_fd, struct err *e)
{
	int version = ioctl(kvm_fd, KVM_GET_API_VERSION, 0);

	if (version < 0)
		return failed(e, "KVM_GET_API_VERSION (is the descriptor /dev/kvm?)");
	if (version != KVM_API_VERSION)
		return err_set(e, EX_HOST, "kvm: API version %d, not %d: use a newer kernel",
			       version, KVM_API_VERSION);
	return 0;
}

int kvm_check_cap(int kvm_fd, unsigned cap)
{
	int answer = ioctl(kvm_fd, KVM_CHECK_EXTENSION, (unsigned long)cap);

	return answer < 0 ? 0 : answer;
}

int kvm_run_size(int kvm_fd, size_t *size, struct err *e)
{
	int answer = ioctl(kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);

	if (answer < 0)
		return failed(e, "KVM_GET_VCPU_MMAP_SIZE");
	if ((size_t)answer < sizeof(struct kvm_run))
		return err_set(e, EX_HOST, "kvm: run area of %d bytes is too small", answer);
	*size = (size_t)answer;
	return 0;
}

int kvm_supported_cpuid(int kvm_fd, union kvm_cpuid_table *out, struct err *e)
{
	memset(out, 0, sizeof(*out));
	out->head.nent = KVM_CPUID_MAX;
	if (ioctl(kvm_fd, KVM_GET_SUPPORTED_CPUID, &out->head) < 0)
		return failed(e, "KVM_GET_SUPPORTED_CPUID");
	if (out->head.nent > KVM_CPUID_MAX)
		return err_set(e, EX_HOST, "kvm: more than %d CPUID entries", KVM_CPUID_MAX);
	return 0;
}

int kvm_create_vm(int kvm_fd, int *vm_fd, struct err *e)
{
	int fd = ioctl(kvm_fd, KVM_CREATE_VM, 0);

	if (fd < 0)
		return failed(e, "KVM_CREATE_VM");
	*vm_fd = fd;
	return 0;
}

int kvm_set_fixed_pages(int vm_fd, uint32_t tss_gpa, uint64_t identity_map_gpa, struct err *e)
{
	if (ioctl(vm_fd, KVM_SET_TSS_ADDR, (unsigned long)tss_gpa) < 0)
		return failed(e, "KVM_SET_TSS_ADDR");
	if (ioctl(vm_fd, KVM_SET_IDENTITY_MAP_ADDR, &identity_map_gpa) < 0)
		return failed(e, "KVM_SET_IDENTITY_MAP_ADDR");
	return 0;
}

int kvm_split_irqchip(int vm_fd, unsigned pins, struct err *e)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_SPLIT_IRQCHIP, .args = { pins } };

	if (ioctl(vm_fd, KVM_ENABLE_CAP, &cap) < 0)
		return failed(e, "KVM_ENABLE_CAP(KVM_CAP_SPLIT_IRQCHIP)");
	return 0;
}

int kvm_set_memory(int vm_fd, uint32_t slot, uint64_t gpa, uint64_t size, uint64_t host,
		   struct err *e)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = host,
	};

	if (ioctl(vm_fd, KVM_SET_USER_MEMORY_REGION, &region) < 0)
		return failed(e, "KVM_SET_USER_MEMORY_REGION");
	return 0;
}

int kvm_create_vcpu(int vm_fd, unsigned id, int *vcpu_fd, struct err *e)
{
	int fd = ioctl(vm_fd, KVM_CREATE_VCPU, (unsigned long)id);

	if (fd < 0)
		return failed(e, "KVM_CREATE_VCPU");
	*vcpu_fd = fd;
	return 0;
}

int kvm_irqfd(int vm_fd, int eventfd, uint32_t gsi, struct err *e)
{
	struct kvm_irqfd irqfd = { .fd = (uint32_t)eventfd, .gsi = gsi };

	if (ioctl(vm_fd, KVM_IRQFD, &irqfd) < 0)
		return failed(e, "KVM_IRQFD");
	return 0;
}

int kvm_ioeventfd(int vm_fd, int eventfd, uint64_t gpa, uint32_t len, const uint64_t *datamatch,
		  struct err *e)
{
	struct kvm_ioeventfd ioeventfd = { .fd = eventfd, .addr = gpa, .len = len };

	if (datamatch) {
		ioeventfd.datamatch = *datamatch;
		ioeventfd.flags = KVM_IOEVENTFD_FLAG_DATAMATCH;
	}
	if (ioctl(vm_fd, KVM_IOEVENTFD, &ioeventfd) < 0)
		return failed(e, "KVM_IOEVENTFD");
	return 0;
}

int kvm_set_gsi_routing(int vm_fd, const struct kvm_msi_route *route, unsigned count,
			struct err *e)
{
	union {
		struct kvm_irq_routing head;
		uint8_t room[sizeof(struct kvm_irq_routing) +
			     KVM_MSI_ROUTE_MAX * sizeof(struct kvm_irq_routing_entry)];
	} table = { .room = { 0 } };

	if (count > KVM_MSI_ROUTE_MAX)
		return err_set(e, EX_INTERNAL, "kvm: %u MSI routes, at most %d", count,
			       KVM_MSI_ROUTE_MAX);
	table.head.nr = count;
	for (unsigned i = 0; i < count; i++) {
		struct kvm_irq_routing_entry *entry = &table.head.entries[i];

		entry->gsi = route[i].gsi;
		entry->type = KVM_IRQ_ROUTING_MSI;
		entry->u.msi.address_lo = (uint32_t)route[i].address;
		entry->u.msi.address_hi = (uint32_t)(route[i].address >> 32);
		entry->u.msi.data = route[i].data;
	}
	if (ioctl(vm_fd, KVM_SET_GSI_ROUTING, &table.head) < 0)
		return failed(e, "KVM_SET_GSI_ROUTING");
	return 0;
}

void kvm_signal_msi(int vm_fd, uint64_t address, uint32_t data)
{
	struct kvm_msi msi = {
		.address_lo = (uint32_t)address,
		.address_hi = (uint32_t)(address >> 32),
		.data = data,
	};

	(void)ioctl(vm_fd, KVM_SIGNAL_MSI, &msi);
}

int kvm_set_cpuid(int vcpu_fd, union kvm_cpuid_table *table, struct err *e)
{
	if (ioctl(vcpu_fd, KVM_SET_CPUID2, &table->head) < 0)
		return failed(e, "KVM_SET_CPUID2");
	return 0;
}

int kvm_set_msr(int vcpu_fd, uint32_t index, uint64_t value, struct err *e)
{
	union {
		struct kvm_msrs head;
		uint8_t room[sizeof(struct kvm_msrs) + sizeof(struct kvm_msr_entry)];
	} msrs = { .room = { 0 } };
	int set;

	msrs.head.nmsrs = 1;
	msrs.head.entries[0].index = index;
	msrs.head.entries[0].data = value;
	set = ioctl(vcpu_fd, KVM_SET_MSRS, &msrs.head);
	if (set < 0)
		return failed(e, "KVM_SET_MSRS");
	if (set != 1)
		return err_set(e, EX_HOST, "kvm: MSR %#x refused", index);
	return 0;
}

int kvm_set_regs(int vcpu_fd, const struct kvm_regs *regs, struct err *e)
{
	if (ioctl(vcpu_fd, KVM_SET_REGS, regs) < 0)
		return failed(e, "KVM_SET_REGS");
	return 0;
}

int kvm_set_sregs(int vcpu_fd, const struct kvm_sregs *sregs, struct err *e)
{
	if (ioctl(vcpu_fd, KVM_SET_SREGS, sregs) < 0)
		return failed(e, "KVM_SET_SREGS");
	return 0;
}

int kvm_get_regs(int vcpu_fd, struct kvm_regs *regs, struct err *e)
{
	if (ioctl(vcpu_fd, KVM_GET_REGS, regs) < 0)
		return failed(e, "KVM_GET_REGS");
	return 0;
}

int kvm_get_sregs(int vcpu_fd, struct kvm_sregs *sregs, struct err *e)
{
	if (ioctl(vcpu_fd, KVM_GET_SREGS, sregs) < 0)
		return failed(e, "KVM_GET_SREGS");
	return 0;
}

int kvm_run_vcpu(int vcpu_fd)
{
	return ioctl(vcpu_fd, KVM_RUN, 0) < 0 ? -errno : 0;
}
