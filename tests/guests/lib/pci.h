/* PCI configuration space for tiny guests: mechanism 1, bus 0. */
#ifndef PAVISE_TESTS_GUEST_PCI_H
#define PAVISE_TESTS_GUEST_PCI_H

#include "tests/guests/lib/guest.h"

static inline void pci_select(unsigned device, unsigned offset)
{
	out32(PCI_CONFIG_ADDRESS, 0x80000000u | device << 11 | (offset & 0xFC));
}

static inline uint32_t pci_get32(unsigned device, unsigned offset)
{
	pci_select(device, offset);
	return in32(PCI_CONFIG_DATA);
}

static inline uint16_t pci_get16(unsigned device, unsigned offset)
{
	pci_select(device, offset);
	return in16((uint16_t)(PCI_CONFIG_DATA + (offset & 2)));
}

static inline uint8_t pci_get8(unsigned device, unsigned offset)
{
	pci_select(device, offset);
	return in8((uint16_t)(PCI_CONFIG_DATA + (offset & 3)));
}

static inline void pci_put32(unsigned device, unsigned offset, uint32_t v)
{
	pci_select(device, offset);
	out32(PCI_CONFIG_DATA, v);
}

static inline void pci_put16(unsigned device, unsigned offset, uint16_t v)
{
	pci_select(device, offset);
	out16((uint16_t)(PCI_CONFIG_DATA + (offset & 2)), v);
}

#endif
