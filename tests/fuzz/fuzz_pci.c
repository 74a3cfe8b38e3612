/* Any port accesses to a bus with one virtio function, with its MSI-X table behind it. Records of
 * 8 bytes: kind and width, port or offset, value. What must hold: BAR 0 reads its fixed address or
 * its size mask, identity and capabilities never change, and every message aims at a local APIC. */
#include "vmm/bus/msix.h"
#include "vmm/bus/pci.h"
#include "vmm/virtio/virtio_pci.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define RECORD  8
#define SLOT    3
#define VECTORS 4

#define MUST(condition) \
	do { \
		if (!(condition)) \
			abort(); \
	} while (0)

static struct pci_bus bus;
static struct pci_function function;
static struct msix msix;
static unsigned msix_cap;

static void control_written(void *context, unsigned offset, unsigned size)
{
	(void)context;
	(void)offset;
	(void)size;
	msix_set_control(&msix, pci_get16(&function, msix_cap + 2));
}

static uint32_t bar(void)
{
	pci_port_write(&bus, PCI_CONFIG_ADDRESS, 4, 0x80000000u | SLOT << 11 | PCI_AT_BAR0);
	return pci_port_read(&bus, PCI_CONFIG_DATA, 4);
}

static void check(const struct pci_function *first)
{
	struct pci_function now = function;
	uint32_t address = bus.address;
	struct msix_message message;

	MUST(bar() == virtio_pci_bar(SLOT) || bar() == ~(PCI_BAR_STRIDE - 1));
	bus.address = address;
	for (unsigned i = 0; i < PCI_CONFIG_SIZE; i++) {
		if (i >= PCI_AT_BAR0 && i < PCI_AT_BAR0 + 4)
			continue;
		MUST(((now.config[i] ^ first->config[i]) & ~first->writable[i]) == 0);
	}
	for (unsigned i = 0; i < VECTORS + 2; i++)
		if (msix_message(&msix, i, &message))
			MUST(i < VECTORS && msix.enabled && (message.address >> 20) == 0xFEE);
}

static void access_once(const uint8_t *r)
{
	static const unsigned widths[] = { 1, 2, 4, 8 };
	unsigned width = widths[r[0] & 3];
	uint32_t value = (uint32_t)(r[2] | r[3] << 8 | r[4] << 16) | (uint32_t)r[5] << 24;
	uint16_t port = (uint16_t)(PCI_CONFIG_ADDRESS + r[1] % 8);
	uint64_t offset = (uint64_t)(r[1] | (r[6] & 0x0F) << 8);

	switch (r[0] >> 2 & 7) {
	case 0:
		pci_port_read(&bus, port, width);
		return;
	case 1:
		msix_table_read(&msix, offset, width);
		return;
	case 2:
		msix_table_write(&msix, offset, width, value | (uint64_t)r[7] << 32);
		return;
	case 3: /* the one function, any register */
		pci_port_write(&bus, PCI_CONFIG_ADDRESS, 4, 0x80000000u | SLOT << 11 | r[1]);
		pci_port_write(&bus, PCI_CONFIG_DATA, width, value);
		return;
	default:
		pci_port_write(&bus, port, width, value);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pci_function first;
	struct err e = { 0 };

	pci_bus_init(&bus);
	msix_init(&msix, VECTORS);
	msix_cap = virtio_pci_function(&function, SLOT, 2, 0x018000, VECTORS);
	function.written = control_written;
	MUST(pci_bus_plug(&bus, SLOT, &function, &e) == 0);
	first = function;
	for (size_t at = 0; size - at >= RECORD; at += RECORD) {
		access_once(data + at);
		check(&first);
	}
	return 0;
}
