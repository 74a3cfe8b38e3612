/* A user-space IOAPIC (82093AA, 24 pins) for KVM's split irqchip: edge triggered only, since no
 * device of this machine is level triggered. An edge on an unmasked pin becomes an MSI built from
 * its redirection entry; an edge on a masked pin is lost, as on the chip. */
#ifndef PAVISE_VMM_PLATFORM_IOAPIC_H
#define PAVISE_VMM_PLATFORM_IOAPIC_H

#include <stdint.h>

#define IOAPIC_PINS 24u
#define IOAPIC_MMIO_SIZE 0x1000u

/* Delivers the message `data` at `address`. */
typedef void (*ioapic_send_fn)(void *ctx, uint64_t address, uint32_t data);

struct ioapic {
	ioapic_send_fn send;
	void *ctx;
	uint32_t select;             /* IOREGSEL */
	uint32_t id;
	uint32_t level;              /* input lines, one bit a pin */
	uint64_t entry[IOAPIC_PINS]; /* redirection table */
};

void ioapic_init(struct ioapic *io, ioapic_send_fn send, void *ctx);

/* Sets the input line of a pin; a rising edge delivers. */
void ioapic_set_line(struct ioapic *io, unsigned pin, int level);

/* dispatch callbacks, ctx = struct ioapic. */
uint64_t ioapic_read(void *ctx, uint64_t offset, unsigned size);
void ioapic_write(void *ctx, uint64_t offset, unsigned size, uint64_t value);

#endif
