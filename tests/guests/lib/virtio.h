/* A virtio-pci driver for tiny guests, small enough to break every rule on purpose (virtio 1.2
 * §4.1, split rings §2.7). One device, queues 0 to 2. */
#ifndef PAVISE_TESTS_GUEST_VIRTIO_H
#define PAVISE_TESTS_GUEST_VIRTIO_H

#include "tests/guests/lib/pci.h"
#include "tests/guests/lib/virtio_places.h"

#include <stdbool.h>

/* Offsets in the common structure, §4.1.4.3. */
enum {
	COMMON_DEVICE_SELECT = 0x00, COMMON_DEVICE_FEATURE = 0x04, COMMON_DRIVER_SELECT = 0x08,
	COMMON_DRIVER_FEATURE = 0x0C, COMMON_CONFIG_VECTOR = 0x10, COMMON_NUM_QUEUES = 0x12,
	COMMON_STATUS = 0x14, COMMON_QUEUE_SELECT = 0x16, COMMON_QUEUE_SIZE = 0x18,
	COMMON_QUEUE_VECTOR = 0x1A, COMMON_QUEUE_ENABLE = 0x1C, COMMON_QUEUE_NOTIFY = 0x1E,
	COMMON_DESC = 0x20, COMMON_DRIVER = 0x28, COMMON_DEVICE = 0x30,
};

#define DESC_NEXT  1u
#define DESC_WRITE 2u

#define RING_SIZE  8u
#define NO_VECTOR  0xFFFFu

struct virtio {
	unsigned slot;      /* PCI device number */
	uint64_t bar;       /* guest-physical, BAR 0 */
	uint64_t common, notify, config;
	uint32_t notify_step;
	unsigned msix;      /* capability offset in the configuration space */
	uint64_t msix_table;
};

struct ring_desc {
	uint64_t address;
	uint32_t length;
	uint16_t flags, next;
};

/* Finds the device of that virtio id by its capabilities; false: there is none. */
bool virtio_find(struct virtio *v, uint16_t id);

uint8_t virtio_status(const struct virtio *v);
void virtio_set_status(const struct virtio *v, uint8_t status);
/* Writes 0 and waits until it reads 0. */
void virtio_reset(const struct virtio *v);

/* The legal order up to FEATURES_OK: VERSION_1 and nothing else. The status afterwards. */
uint8_t virtio_negotiate(const struct virtio *v);
/* Clears the ring at RING(queue) and makes it that queue, with an MSI-X vector or NO_VECTOR. */
void virtio_set_up_queue(const struct virtio *v, uint16_t queue, uint16_t vector);
/* All of it: reset, negotiate, queue 0, DRIVER_OK. The status afterwards. */
uint8_t virtio_start(const struct virtio *v, uint16_t vector);

void ring_set(uint16_t queue, uint16_t index, uint64_t address, uint32_t length, uint16_t flags,
	      uint16_t next);
/* Makes head available and kicks. */
void ring_offer(const struct virtio *v, uint16_t queue, uint16_t head);
uint16_t ring_used(uint16_t queue); /* index of the used ring */
/* Waits until the used index is `index`: seconds, for a device that must answer. */
bool ring_wait_used(uint16_t queue, uint16_t index);
/* As long as a device usually takes many times over, for one that must not answer. */
bool ring_used_soon(uint16_t queue, uint16_t index);
uint64_t ring_last_length(uint16_t queue); /* of the newest used element */

/* Descriptors 0..2 of queue 0: a read of one sector into BLK_DATA, its result to BLK_STATUS. */
void blk_prepare_read(uint64_t sector);

/* Programs and unmasks one vector: interrupt `number` on APIC 0. */
void msix_set(const struct virtio *v, unsigned vector, uint8_t number);
void msix_mask(const struct virtio *v, unsigned vector, bool masked);
void msix_enable(const struct virtio *v);

#endif
