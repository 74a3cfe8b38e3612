/* KVM's private memory, for every kind of confidential guest: one thin function for each system
 * call, part of the seam that the platform model replaces at link time. Layouts:
 * common/kvm_uapi.h. A function returns 0 or a negative errno, for the backend of that kind of
 * guest to make a sentence of. */
#ifndef PAVISE_VMM_KVM_PRIVATE_H
#define PAVISE_VMM_KVM_PRIVATE_H

#include "common/kvm_uapi.h"

#include <stdint.h>

/* On the VM, before sealing. */
int private_enable_cap(int vm_fd, uint32_t cap, uint64_t arg);
int private_create_memfd(int vm_fd, uint64_t size, int *fd); /* a guest_memfd; caller owns *fd */
/* gmem backs the private view of [gpa, gpa + size), host, an address of this process, the
 * shared one. */
int private_set_memory(int vm_fd, uint32_t slot, uint64_t gpa, uint64_t size, uint64_t host,
		       int gmem_fd, uint64_t gmem_offset);

/* Also at run time. */
int private_set_attributes(int vm_fd, uint64_t gpa, uint64_t size, uint64_t attributes);
/* Frees [offset, offset + size) of the guest_memfd: what was in it is gone. */
int private_discard(int gmem_fd, uint64_t offset, uint64_t size);

#endif
