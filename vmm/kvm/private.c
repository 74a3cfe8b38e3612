#include "vmm/kvm/private.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>

static int answer(int rc)
{
	return rc < 0 ? -errno : 0;
}

int private_enable_cap(int vm_fd, uint32_t cap, uint64_t arg)
{
	struct kvm_enable_cap c = { .cap = cap, .args = { arg } };

	return answer(ioctl(vm_fd, KVM_ENABLE_CAP, &c));
}

int private_create_memfd(int vm_fd, uint64_t size, int *fd)
{
	struct uapi_create_guest_memfd create = { .size = size };
	int new_fd = ioctl(vm_fd, UAPI_CREATE_GUEST_MEMFD, &create);

	if (new_fd < 0)
		return -errno;
	*fd = new_fd;
	return 0;
}

int private_set_memory(int vm_fd, uint32_t slot, uint64_t gpa, uint64_t size, uint64_t host,
		   int gmem_fd, uint64_t gmem_offset)
{
	struct uapi_memory_region2 region = {
		.slot = slot,
		.flags = UAPI_SLOT_GUEST_MEMFD,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = host,
		.guest_memfd_offset = gmem_offset,
		.guest_memfd = (uint32_t)gmem_fd,
	};

	return answer(ioctl(vm_fd, UAPI_SET_USER_MEMORY_REGION2, &region));
}

int private_set_attributes(int vm_fd, uint64_t gpa, uint64_t size, uint64_t attributes)
{
	struct uapi_memory_attributes a = {
		.address = gpa,
		.size = size,
		.attributes = attributes,
	};

	return answer(ioctl(vm_fd, UAPI_SET_MEMORY_ATTRIBUTES, &a));
}

int private_discard(int gmem_fd, uint64_t offset, uint64_t size)
{
	return answer(fallocate(gmem_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset,
				(off_t)size));
}
