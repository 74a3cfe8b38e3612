/* The bus is enumerated, the device's BAR is sized, and no write moves it. */
#include "tests/guests/lib/virtio.h"

static void count_devices(void)
{
	unsigned found = 0;

	for (unsigned device = 1; device < 32; device++)
		found += pci_get32(device, 0) != 0xFFFFFFFF;
	put_value("devices", found);
	put_value("beyond", pci_get32(2, 0));
}

static void move_bar(const struct virtio *v)
{
	static const uint32_t places[] = { 0, 0xC4000000, 0x200000, LAPIC_BASE };

	pci_put32(v->slot, 0x10, 0xFFFFFFFF);
	put_value("size", ~(pci_get32(v->slot, 0x10) & ~15u) + 1);
	for (unsigned i = 0; i < 4; i++) {
		pci_put32(v->slot, 0x10, places[i]);
		put_value("moved to", pci_get32(v->slot, 0x10));
	}
	put_value("there", mmio_read32(0xC4000000));
}

void guest_main(void)
{
	struct virtio v = { 0 };

	put_value("bridge class", pci_get32(0, 8) >> 8);
	count_devices();
	put_value("found", virtio_find(&v, 2));
	put_value("slot", v.slot);
	put_value("id", pci_get32(v.slot, 0));
	put_value("revision", pci_get8(v.slot, 8));
	put_value("pin", pci_get8(v.slot, 0x3D));
	put_value("bar", v.bar);
	move_bar(&v);
	put_value("queues", mmio_read16(v.common + COMMON_NUM_QUEUES));
	pci_put16(v.slot, 4, 0); /* memory decoding off: the BAR answers all the same */
	put_value("status", virtio_status(&v));
	put_value("sectors", mmio_read64(v.config));
	power_off();
}
