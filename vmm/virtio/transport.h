/* The one virtio-pci transport of every device (virtio 1.2 §4.1, modern only), as a pure state
 * machine: a register access goes in, a set of actions comes out, and no other code changes the
 * state. It touches no guest memory and makes no system call, so every order of accesses can be
 * tried without KVM.
 *
 *   0 ──► ACKNOWLEDGE ──► DRIVER ──► FEATURES_OK ──► DRIVER_OK       one bit a write (§2.1, §3.1.1)
 *                        features     queues, vectors    kicks
 *   any ── illegal step ──► NEEDS_RESET, which only a reset (a write of 0) leaves
 *
 * Why so strict: the bugs that let a guest out of other VMMs were queue registers changed after
 * the device had begun to use them. Here the registers cannot change from START to STOP. */
#ifndef PAVISE_VMM_VIRTIO_TRANSPORT_H
#define PAVISE_VMM_VIRTIO_TRANSPORT_H

#include <stdbool.h>
#include <stdint.h>

/* BAR 0. */
#define BAR_COMMON       0x0000u
#define BAR_COMMON_SIZE  0x0038u /* up to queue_device: no notification data, no queue reset */
#define BAR_ISR          0x1000u
#define BAR_CONFIG       0x2000u
#define BAR_CONFIG_SIZE  0x0100u
#define BAR_NOTIFY       0x3000u
#define BAR_NOTIFY_STEP  4u      /* bytes from one queue's notify address to the next */
#define BAR_MSIX_TABLE   0x4000u
#define BAR_MSIX_PBA     0x5000u
#define BAR_REGION_SIZE  0x1000u

#define TRANSPORT_QUEUES_MAX 4
#define TRANSPORT_NO_VECTOR  0xFFFFu
#define TRANSPORT_RAM_MAX    2

/* Device status, §2.1. */
#define STATUS_ACKNOWLEDGE 0x01u
#define STATUS_DRIVER      0x02u
#define STATUS_DRIVER_OK   0x04u
#define STATUS_FEATURES_OK 0x08u
#define STATUS_NEEDS_RESET 0x40u
#define STATUS_FAILED      0x80u

#define FEATURE_VERSION_1       (1ull << 32) /* §6 */
#define FEATURE_ACCESS_PLATFORM (1ull << 33) /* §6: addresses are those of the platform's DMA */

/* What the caller has to do after an access; a set. Stop comes before start. */
#define ACTION_STOP       0x1u /* stop the queues that were running: reset, or an illegal step */
#define ACTION_START      0x2u /* DRIVER_OK: start every enabled queue */
#define ACTION_ROUTE      0x4u /* a vector was chosen: look at all of them again */
#define ACTION_CONFIG_IRQ 0x8u /* raise the configuration change interrupt (§2.1.2) */

struct transport_ram {
	uint64_t base, size; /* guest-physical, bytes; must not wrap */
};

struct transport_queue {
	uint16_t size;   /* entries; a power of two, at most size_max */
	uint16_t vector; /* MSI-X vector or TRANSPORT_NO_VECTOR */
	bool enabled;    /* addresses checked; fixed until reset */
	uint64_t desc, driver, device; /* guest-physical */
};

struct transport {
	/* Fixed by transport_init. */
	uint64_t offered;      /* feature bits */
	unsigned queues, vectors;
	uint16_t size_max;
	unsigned ram_count;
	struct transport_ram ram[TRANSPORT_RAM_MAX];
	uint8_t config[BAR_CONFIG_SIZE];

	uint8_t status;
	uint8_t isr;
	bool running;          /* from ACTION_START to ACTION_STOP */
	bool dead;             /* by transport_die, for good */
	bool strange_features; /* bits above 63 were written */
	uint32_t offered_select, driver_select;
	uint64_t features;     /* what the driver wrote */
	uint16_t queue_select;
	uint16_t config_vector;
	struct transport_queue queue[TRANSPORT_QUEUES_MAX];
	uint64_t illegal;      /* illegal steps seen so far; for the log */
};

struct transport_setup {
	uint64_t features;                      /* to offer; must include FEATURE_VERSION_1 */
	unsigned queues, vectors;               /* 1..TRANSPORT_QUEUES_MAX; MSI-X table entries */
	uint16_t size_max;                      /* of a queue, entries; a power of two */
	unsigned ram_count;
	struct transport_ram ram[TRANSPORT_RAM_MAX];
	const void *config;                     /* device configuration, copied */
	unsigned config_size;                   /* at most BAR_CONFIG_SIZE; zeros follow */
};

/* What is offered to a driver: of what its back end can do, what is allowed. A confidential guest's
 * device reaches shared pages only, so its driver has to use addresses made for DMA: that is
 * between driver and us, the back end sees the same guest-physical addresses either way. */
uint64_t transport_offer(uint64_t back_end, uint64_t allowed, bool confidential);
/* What a back end is told of what a driver accepted. */
uint64_t transport_for_back_end(uint64_t accepted);

void transport_init(struct transport *t, const struct transport_setup *s);

/* A guest access at an offset of BAR 0 below BAR_MSIX_TABLE. Fields are accessed in their own
 * width, 64-bit ones in halves or whole (§4.1.3.1); device configuration in any. Other reads
 * give zero, other writes vanish. Reading has one effect, that of ISR status (§4.1.4.5). */
uint64_t transport_read(struct transport *t, uint64_t offset, unsigned size);
unsigned transport_write(struct transport *t, uint64_t offset, unsigned size, uint64_t value);

/* The back end is lost: as an illegal step, but no reset leads out. Status must not read zero any
 * more: a driver takes that as leave to reuse its buffers (§2.4.1), and a back end that did not
 * confirm that it stopped may still write to them. */
unsigned transport_die(struct transport *t);

#endif
