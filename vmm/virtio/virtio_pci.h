/* What a virtio function shows in its PCI configuration space: identity and capabilities
 * (virtio 1.2 §4.1.2 and §4.1.4). Pure. */
#ifndef PAVISE_VMM_VIRTIO_VIRTIO_PCI_H
#define PAVISE_VMM_VIRTIO_VIRTIO_PCI_H

#include "vmm/bus/pci.h"

/* A modern device of this virtio id at a slot: BAR 0 at its fixed place, the four virtio
 * capabilities, MSI-X with `vectors` entries. No INTx pin: interrupts are messages or nothing.
 * Returns the offset of the MSI-X capability. */
unsigned virtio_pci_function(struct pci_function *f, unsigned slot, uint16_t virtio_id,
			     uint32_t class, unsigned vectors);

/* Guest-physical address of BAR 0 of a slot. */
uint32_t virtio_pci_bar(unsigned slot);

#endif
