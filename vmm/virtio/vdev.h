/* A virtio device as the VM sees it: a PCI function whose registers are the transport and whose
 * work is done by a vhost-user back end. */
#ifndef PAVISE_VMM_VIRTIO_VDEV_H
#define PAVISE_VMM_VIRTIO_VDEV_H

#include "common/err.h"

struct vm;
struct vdev;

/* Makes the device at a PCI slot (1..PCI_SLOT_MAX): sets up the back end behind vhost_fd (a
 * SOCK_STREAM socket, borrowed for the VM's life), makes every eventfd, irqfd and ioeventfd it will
 * ever have, and plugs it in. type is "blk" or "vsock". Needs the KVM VM and pci_init; before
 * sealing. *out lives as long as the VM. -EX_USAGE_ERROR: unknown type; -EX_INTERNAL: the back
 * end misbehaves; -EX_HOST: the kernel refuses. */
int vdev_create(struct vm *vm, unsigned slot, const char *type, int vhost_fd, struct vdev **out,
		struct err *e);

#endif
