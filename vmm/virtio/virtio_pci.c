#include "vmm/virtio/virtio_pci.h"

#include "common/bytes.h"
#include "vmm/bus/msix.h"
#include "vmm/virtio/transport.h"

#define VENDOR_VIRTIO    0x1AF4u
#define DEVICE_MODERN    0x1040u /* §4.1.2.1: plus the virtio id */
#define SUBSYSTEM_MODERN 0x0040u /* at least this tells "not transitional" */
#define CAP_VENDOR       0x09u
#define CAP_MSIX         0x11u
#define CAP_SIZE_MAX     20u

enum virtio_cap { CAP_COMMON = 1, CAP_NOTIFY = 2, CAP_ISR = 3, CAP_DEVICE = 4 };

_Static_assert(BAR_MSIX_PBA + BAR_REGION_SIZE <= PCI_BAR_STRIDE, "BAR 0 holds all regions");

uint32_t virtio_pci_bar(unsigned slot)
{
	return PCI_WINDOW_BASE + slot * PCI_BAR_STRIDE;
}

/* struct virtio_pci_cap, §4.1.4; a notify capability has the multiplier after it (§4.1.4.4). */
static void add_virtio_cap(struct pci_function *f, enum virtio_cap type, uint32_t offset,
			   uint32_t length)
{
	uint8_t body[CAP_SIZE_MAX - 2];
	struct writer w = writer_over(body, sizeof(body));
	uint8_t size = type == CAP_NOTIFY ? 20 : 16;

	write_u8(&w, size);
	write_u8(&w, (uint8_t)type);
	write_u8(&w, 0);    /* BAR */
	write_zeros(&w, 3); /* id, padding */
	write_le32(&w, offset);
	write_le32(&w, length);
	if (type == CAP_NOTIFY)
		write_le32(&w, BAR_NOTIFY_STEP);
	pci_function_add_cap(f, CAP_VENDOR, body, size);
}

/* PCI Local Bus 3.0 §6.8.2; the low three bits of the two offsets name the BAR: 0. */
static unsigned add_msix_cap(struct pci_function *f, unsigned vectors)
{
	uint8_t body[10];
	struct writer w = writer_over(body, sizeof(body));
	unsigned at;

	write_le16(&w, (uint16_t)(vectors - 1));
	write_le32(&w, BAR_MSIX_TABLE);
	write_le32(&w, BAR_MSIX_PBA);
	at = pci_function_add_cap(f, CAP_MSIX, body, 12);
	f->writable[at + 3] = (MSIX_ENABLE | MSIX_MASK_ALL) >> 8;
	return at;
}

unsigned virtio_pci_function(struct pci_function *f, unsigned slot, uint16_t virtio_id,
			     uint32_t class, unsigned vectors)
{
	const struct pci_identity id = {
		.vendor = VENDOR_VIRTIO,
		.device = (uint16_t)(DEVICE_MODERN + virtio_id),
		.subvendor = VENDOR_VIRTIO,
		.subsystem = (uint16_t)(SUBSYSTEM_MODERN + virtio_id),
		.class = class,
		.revision = 1,
	};

	pci_function_init(f, &id);
	pci_function_set_bar(f, virtio_pci_bar(slot), PCI_BAR_STRIDE);
	add_virtio_cap(f, CAP_COMMON, BAR_COMMON, BAR_COMMON_SIZE);
	add_virtio_cap(f, CAP_NOTIFY, BAR_NOTIFY, BAR_REGION_SIZE);
	add_virtio_cap(f, CAP_ISR, BAR_ISR, 1);
	add_virtio_cap(f, CAP_DEVICE, BAR_CONFIG, BAR_CONFIG_SIZE);
	return add_msix_cap(f, vectors);
}
