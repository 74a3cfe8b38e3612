/* The boot block (firmware/layout.h) for what a host chose. One function, used by the VMM that
 * fills it and by the verifier that predicts PCR 1 from it: they must agree byte for byte. */
#ifndef PAVISE_COMMON_BOOT_BLOCK_H
#define PAVISE_COMMON_BOOT_BLOCK_H

#include "common/err.h"
#include "firmware/layout.h"

#include <stdint.h>

/* memory: bytes of guest RAM, a multiple of FW_RAM_ALIGN above FW_RESERVED_END; what does not
 * fit below MMIO_HOLE_BASE (3 GiB) continues at MMIO_HOLE_END (4 GiB). cpus: 1..256, APIC ids
 * 0..cpus-1. tpm: 0 or 1. pci_slots: virtio devices, 0..PCI_SLOT_MAX. Unused bytes are zero.
 * Returns 0 or -EX_USAGE_ERROR, then *out is untouched. */
int boot_block_fill(struct fw_boot_block *out, uint64_t memory, uint32_t cpus, int tpm,
		    uint32_t pci_slots, struct err *e);

#endif
