#include "vmm/kvm/tdx.h"

#include <errno.h>
#include <sys/ioctl.h>

_Static_assert(sizeof(struct tdx_capabilities) ==
	       2056 + UAPI_TDX_CPUID_MAX * sizeof(struct kvm_cpuid_entry2), "capabilities");
_Static_assert(sizeof(struct tdx_init_vm) ==
	       264 + UAPI_TDX_CPUID_MAX * sizeof(struct kvm_cpuid_entry2), "init vm");

static int answer(int rc)
{
	return rc < 0 ? -errno : 0;
}

/* One sub-command of KVM_MEMORY_ENCRYPT_OP on a VM or a vCPU. */
static int command(int fd, uint32_t id, uint32_t flags, uint64_t data, uint64_t *hw)
{
	struct uapi_tdx_cmd cmd = { .id = id, .flags = flags, .data = data };
	int rc = answer(ioctl(fd, UAPI_MEMORY_ENCRYPT_OP, &cmd));

	*hw = cmd.hw_error;
	return rc;
}

static uint64_t address_of(const void *p)
{
	return (uint64_t)(uintptr_t)p;
}

int tdx_create_vm(int kvm_fd, int *vm_fd)
{
	int fd = ioctl(kvm_fd, KVM_CREATE_VM, (unsigned long)UAPI_VM_TYPE_TDX);

	if (fd < 0)
		return -errno;
	*vm_fd = fd;
	return 0;
}

int tdx_capabilities(int vm_fd, struct tdx_capabilities *c, uint64_t *hw)
{
	return command(vm_fd, UAPI_TDX_CAPABILITIES, 0, address_of(c), hw);
}

int tdx_get_tsc_khz(int vm_fd, uint64_t *khz)
{
	int answered = ioctl(vm_fd, KVM_GET_TSC_KHZ, 0);

	if (answered < 0)
		return -errno;
	*khz = (uint64_t)answered;
	return 0;
}

int tdx_set_tsc_khz(int vm_fd, uint64_t khz)
{
	return answer(ioctl(vm_fd, KVM_SET_TSC_KHZ, (unsigned long)khz));
}

int tdx_init_vm(int vm_fd, struct tdx_init_vm *init, uint64_t *hw)
{
	return command(vm_fd, UAPI_TDX_INIT_VM, 0, address_of(init), hw);
}

int tdx_finalize_vm(int vm_fd, uint64_t *hw)
{
	return command(vm_fd, UAPI_TDX_FINALIZE_VM, 0, 0, hw);
}

int tdx_init_vcpu(int vcpu_fd, uint64_t rcx, uint64_t *hw)
{
	return command(vcpu_fd, UAPI_TDX_INIT_VCPU, 0, rcx, hw);
}

int tdx_init_mem_region(int vcpu_fd, struct uapi_tdx_mem_region *r, int measure, uint64_t *hw)
{
	return command(vcpu_fd, UAPI_TDX_INIT_MEM_REGION, measure ? UAPI_TDX_MEASURE : 0,
		       address_of(r), hw);
}

int tdx_get_cpuid(int vcpu_fd, union kvm_cpuid_table *table, uint64_t *hw)
{
	return command(vcpu_fd, UAPI_TDX_GET_CPUID, 0, address_of(table), hw);
}
