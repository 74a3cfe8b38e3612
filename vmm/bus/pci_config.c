/* The pure part of the bus: configuration spaces and the two ports that reach them. */
#include "vmm/bus/pci.h"

#include <string.h>

#define STATUS_CAP_LIST     0x0010u
#define COMMAND_WRITABLE    0x0406u /* interrupt disable, bus master, memory: decide nothing */
#define ADDRESS_ENABLE      0x80000000u
#define ADDRESS_WRITABLE    0x80FFFFFCu /* §3.2.2.3.2: bits 30..24 and 1..0 are zero */
#define ALL_ONES            0xFFFFFFFFu

/* No Linux quirk is tied to this host bridge; its class alone is looked at. */
static const struct pci_identity host_bridge = {
	.vendor = 0x1B36,
	.device = 0x0008,
	.class = 0x060000,
};

void pci_put16(struct pci_function *f, unsigned offset, uint16_t value)
{
	f->config[offset] = (uint8_t)value;
	f->config[offset + 1] = (uint8_t)(value >> 8);
}

uint16_t pci_get16(const struct pci_function *f, unsigned offset)
{
	return (uint16_t)(f->config[offset] | f->config[offset + 1] << 8);
}

static void put32(struct pci_function *f, unsigned offset, uint32_t value)
{
	pci_put16(f, offset, (uint16_t)value);
	pci_put16(f, offset + 2, (uint16_t)(value >> 16));
}

void pci_function_init(struct pci_function *f, const struct pci_identity *id)
{
	memset(f, 0, sizeof(*f));
	pci_put16(f, PCI_AT_VENDOR, id->vendor);
	pci_put16(f, PCI_AT_DEVICE, id->device);
	put32(f, PCI_AT_REVISION, id->class << 8 | id->revision);
	pci_put16(f, PCI_AT_SUBVENDOR, id->subvendor);
	pci_put16(f, PCI_AT_SUBSYSTEM, id->subsystem);
	f->writable[PCI_AT_COMMAND] = (uint8_t)COMMAND_WRITABLE;
	f->writable[PCI_AT_COMMAND + 1] = (uint8_t)(COMMAND_WRITABLE >> 8);
	f->cap_end = PCI_CAP_FIRST;
}

void pci_function_set_bar(struct pci_function *f, uint32_t base, uint32_t size)
{
	f->bar_base = base;
	f->bar_size = size;
	put32(f, PCI_AT_BAR0, base); /* 32-bit memory, not prefetchable: low bits zero (§6.2.5.1) */
}

unsigned pci_function_add_cap(struct pci_function *f, uint8_t id, const void *body, unsigned size)
{
	unsigned at = f->cap_end;

	if (size < 2 || size > PCI_CONFIG_SIZE - at)
		return 0;
	f->config[at] = id;
	f->config[at + 1] = 0;
	memcpy(&f->config[at + 2], body, size - 2);
	f->config[f->cap_last != 0 ? f->cap_last + 1 : PCI_AT_CAP] = (uint8_t)at;
	pci_put16(f, PCI_AT_STATUS, pci_get16(f, PCI_AT_STATUS) | STATUS_CAP_LIST);
	f->cap_last = at;
	f->cap_end = (at + size + 3) & ~3u; /* §6.7: DWORD aligned */
	return at;
}

void pci_bus_init(struct pci_bus *bus)
{
	memset(bus, 0, sizeof(*bus));
	pci_function_init(&bus->bridge, &host_bridge);
	bus->slot[0] = &bus->bridge;
}

int pci_bus_plug(struct pci_bus *bus, unsigned slot, struct pci_function *f, struct err *e)
{
	if (slot >= PCI_SLOTS)
		return err_set(e, EX_INTERNAL, "PCI slot %u: does not exist: use 1..%u", slot,
			       PCI_SLOT_MAX);
	if (bus->slot[slot] != NULL)
		return err_set(e, EX_INTERNAL, "PCI slot %u: taken: use another", slot);
	bus->slot[slot] = f;
	return 0;
}

/* §6.2.5.1: after a write of all ones a BAR reads back as its size mask. Whatever else is
 * written, it reads back the fixed address. */
static void write_bar(struct pci_function *f, unsigned offset, unsigned size, uint32_t value)
{
	uint32_t mask = ~(f->bar_size - 1);

	if (f->bar_size == 0)
		return;
	f->sizing = offset == PCI_AT_BAR0 && size == 4 && (value & mask) == mask;
	put32(f, PCI_AT_BAR0, f->sizing ? mask : f->bar_base);
}

static uint32_t function_read(const struct pci_function *f, unsigned offset, unsigned size)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < size; i++)
		value |= (uint32_t)f->config[offset + i] << (8 * i);
	return value;
}

static void function_write(struct pci_function *f, unsigned offset, unsigned size, uint32_t value)
{
	uint8_t touched = 0;

	if (offset >= PCI_AT_BAR0 && offset < PCI_AT_BAR0 + 4) {
		write_bar(f, offset, size, value);
		return;
	}
	for (unsigned i = 0; i < size; i++) {
		uint8_t bits = f->writable[offset + i];
		uint8_t byte = (uint8_t)(value >> (8 * i));

		f->config[offset + i] = (uint8_t)((f->config[offset + i] & ~bits) | (byte & bits));
		touched |= bits;
	}
	if (touched != 0 && f->written != NULL)
		f->written(f->context, offset, size);
}

/* The function CONFIG_ADDRESS selects, or NULL. */
static struct pci_function *selected(struct pci_bus *bus)
{
	uint32_t bus_number = bus->address >> 16 & 0xFF;
	uint32_t device = bus->address >> 11 & 0x1F;
	uint32_t function = bus->address >> 8 & 7;

	if ((bus->address & ADDRESS_ENABLE) == 0 || bus_number != 0 || function != 0 ||
	    device >= PCI_SLOTS)
		return NULL;
	return bus->slot[device];
}

static bool is_data_access(uint16_t port, unsigned size)
{
	return (size == 1 || size == 2 || size == 4) && port >= PCI_CONFIG_DATA &&
	       port + size <= PCI_CONFIG_DATA + 4;
}

uint32_t pci_port_read(struct pci_bus *bus, uint16_t port, unsigned size)
{
	const struct pci_function *f;

	if (port == PCI_CONFIG_ADDRESS && size == 4)
		return bus->address;
	if (!is_data_access(port, size))
		return ALL_ONES;
	f = selected(bus);
	if (f == NULL)
		return ALL_ONES;
	return function_read(f, (bus->address & 0xFC) + (port - PCI_CONFIG_DATA), size);
}

void pci_port_write(struct pci_bus *bus, uint16_t port, unsigned size, uint32_t value)
{
	struct pci_function *f;

	if (port == PCI_CONFIG_ADDRESS && size == 4) {
		bus->address = value & ADDRESS_WRITABLE;
		return;
	}
	if (!is_data_access(port, size))
		return;
	f = selected(bus);
	if (f != NULL)
		function_write(f, (bus->address & 0xFC) + (port - PCI_CONFIG_DATA), size, value);
}
