#include "tests/guests/lib/virtio.h"

#define CAP_VENDOR 0x09u
#define CAP_MSIX   0x11u
#define AVAILABLE(queue) (RING(queue) + 0x1000)
#define USED(queue)      (RING(queue) + 0x2000)

static void take_virtio_cap(struct virtio *v, unsigned at)
{
	uint64_t where = v->bar + pci_get32(v->slot, at + 8);

	switch (pci_get8(v->slot, at + 3)) {
	case 1:
		v->common = where;
		break;
	case 2:
		v->notify = where;
		v->notify_step = pci_get32(v->slot, at + 16);
		break;
	case 4:
		v->config = where;
		break;
	default:
		break;
	}
}

static void take_caps(struct virtio *v)
{
	unsigned at = pci_get8(v->slot, 0x34);

	for (unsigned n = 0; at != 0 && n < 16; n++, at = pci_get8(v->slot, at + 1)) {
		if (pci_get8(v->slot, at) == CAP_VENDOR)
			take_virtio_cap(v, at);
		if (pci_get8(v->slot, at) == CAP_MSIX) {
			v->msix = at;
			v->msix_table = v->bar + (pci_get32(v->slot, at + 4) & ~7u);
		}
	}
}

bool virtio_find(struct virtio *v, uint16_t id)
{
	for (v->slot = 1; v->slot <= PCI_SLOT_MAX; v->slot++) {
		if (pci_get32(v->slot, 0) != ((0x1040u + id) << 16 | 0x1AF4u))
			continue;
		v->bar = pci_get32(v->slot, 0x10) & ~15u;
		pci_put16(v->slot, 4, 6); /* memory, bus master */
		take_caps(v);
		return v->common != 0 && v->notify != 0;
	}
	return false;
}

uint8_t virtio_status(const struct virtio *v)
{
	return mmio_read8(v->common + COMMON_STATUS);
}

void virtio_set_status(const struct virtio *v, uint8_t status)
{
	mmio_write8(v->common + COMMON_STATUS, status);
}

void virtio_reset(const struct virtio *v)
{
	virtio_set_status(v, 0);
	for (unsigned n = 0; n < 1000 && virtio_status(v) != 0; n++)
		;
}

uint8_t virtio_negotiate(const struct virtio *v)
{
	virtio_reset(v);
	virtio_set_status(v, 1);
	virtio_set_status(v, 3);
	mmio_write32(v->common + COMMON_DRIVER_SELECT, 0);
	mmio_write32(v->common + COMMON_DRIVER_FEATURE, 0);
	mmio_write32(v->common + COMMON_DRIVER_SELECT, 1);
	mmio_write32(v->common + COMMON_DRIVER_FEATURE, 1);
	virtio_set_status(v, 11);
	return virtio_status(v);
}

static void put_address(const struct virtio *v, unsigned field, uint64_t gpa)
{
	mmio_write32(v->common + field, (uint32_t)gpa);
	mmio_write32(v->common + field + 4, (uint32_t)(gpa >> 32));
}

void virtio_set_up_queue(const struct virtio *v, uint16_t queue, uint16_t vector)
{
	for (uint64_t a = RING(queue); a < USED(queue) + 0x1000; a += 8)
		mmio_write64(a, 0);
	mmio_write16(v->common + COMMON_QUEUE_SELECT, queue);
	mmio_write16(v->common + COMMON_QUEUE_SIZE, RING_SIZE);
	if (vector != NO_VECTOR)
		mmio_write16(v->common + COMMON_QUEUE_VECTOR, vector);
	put_address(v, COMMON_DESC, RING(queue));
	put_address(v, COMMON_DRIVER, AVAILABLE(queue));
	put_address(v, COMMON_DEVICE, USED(queue));
	mmio_write16(v->common + COMMON_QUEUE_ENABLE, 1);
}

uint8_t virtio_start(const struct virtio *v, uint16_t vector)
{
	virtio_negotiate(v);
	virtio_set_up_queue(v, 0, vector);
	virtio_set_status(v, 15);
	return virtio_status(v);
}

void ring_set(uint16_t queue, uint16_t index, uint64_t address, uint32_t length, uint16_t flags,
	      uint16_t next)
{
	volatile struct ring_desc *d = (volatile struct ring_desc *)RING(queue) + index;

	d->address = address;
	d->length = length;
	d->flags = flags;
	d->next = next;
}

void ring_offer(const struct virtio *v, uint16_t queue, uint16_t head)
{
	uint16_t index = mmio_read16(AVAILABLE(queue) + 2);

	mmio_write16(AVAILABLE(queue) + 4 + 2ull * (index % RING_SIZE), head);
	__asm__ volatile("mfence" : : : "memory");
	mmio_write16(AVAILABLE(queue) + 2, (uint16_t)(index + 1));
	__asm__ volatile("mfence" : : : "memory");
	mmio_write16(v->notify + (uint64_t)queue * v->notify_step, queue);
}

uint16_t ring_used(uint16_t queue)
{
	return mmio_read16(USED(queue) + 2);
}

/* A port access gives up the processor, where host and guest share one. */
static bool poll_used(uint16_t queue, uint16_t index, unsigned tries)
{
	while (tries-- > 0) {
		if (ring_used(queue) == index)
			return true;
		(void)in8(PORT_STOP);
	}
	return false;
}

bool ring_wait_used(uint16_t queue, uint16_t index)
{
	return poll_used(queue, index, 200000);
}

bool ring_used_soon(uint16_t queue, uint16_t index)
{
	return poll_used(queue, index, 10000);
}

uint64_t ring_last_length(uint16_t queue)
{
	uint16_t last = (uint16_t)(ring_used(queue) - 1) % RING_SIZE;

	return mmio_read32(USED(queue) + 4 + 8ull * last + 4);
}

/* struct virtio_blk_req, §5.2.6; type 0 reads. */
void blk_prepare_read(uint64_t sector)
{
	mmio_write64(BLK_HEADER, 0);
	mmio_write64(BLK_HEADER + 8, sector);
	mmio_write8(BLK_STATUS, 0xEE);
	ring_set(0, 0, BLK_HEADER, 16, DESC_NEXT, 1);
	ring_set(0, 1, BLK_DATA, 512, DESC_NEXT | DESC_WRITE, 2);
	ring_set(0, 2, BLK_STATUS, 1, DESC_WRITE, 0);
}

void msix_set(const struct virtio *v, unsigned vector, uint8_t number)
{
	uint64_t entry = v->msix_table + 16ull * vector;

	mmio_write32(entry, LAPIC_BASE);
	mmio_write32(entry + 4, 0);
	mmio_write32(entry + 8, number);
	mmio_write32(entry + 12, 0);
}

void msix_mask(const struct virtio *v, unsigned vector, bool masked)
{
	mmio_write32(v->msix_table + 16ull * vector + 12, masked);
}

void msix_enable(const struct virtio *v)
{
	pci_put16(v->slot, v->msix + 2, 0x8000);
}
