#include "vmm/platform/ioapic.h"

#include <string.h>

/* 82093AA §3.1, §3.2: two windows in MMIO, registers behind them. */
#define IOREGSEL 0x00u
#define IOWIN    0x10u
#define REG_ID   0x00u
#define REG_VER  0x01u
#define REG_ARB  0x02u
#define REG_REDIRECTION 0x10u
#define VERSION  0x11u

#define ENTRY_MASKED    (1ull << 16)
#define ENTRY_READ_ONLY (1ull << 12 | 1ull << 14) /* delivery status, remote IRR */

void ioapic_init(struct ioapic *io, ioapic_send_fn send, void *ctx)
{
	memset(io, 0, sizeof(*io));
	io->send = send;
	io->ctx = ctx;
	for (unsigned i = 0; i < IOAPIC_PINS; i++)
		io->entry[i] = ENTRY_MASKED;
}

/* SDM vol. 3 §11.11 (message signalled interrupts): the fields of a redirection entry are those
 * of the message, in other places. The trigger bits stay zero: edge. */
static void deliver(struct ioapic *io, unsigned pin)
{
	uint64_t entry = io->entry[pin];
	uint64_t destination = entry >> 56 & 0xFF;
	uint64_t logical = entry >> 11 & 1;
	uint32_t vector_and_mode = (uint32_t)(entry & 0x7FF);

	io->send(io->ctx, 0xFEE00000u | destination << 12 | logical << 2, vector_and_mode);
}

void ioapic_set_line(struct ioapic *io, unsigned pin, int level)
{
	uint32_t bit;

	if (pin >= IOAPIC_PINS)
		return;
	bit = 1u << pin;
	if (!level) {
		io->level &= ~bit;
		return;
	}
	if (io->level & bit)
		return;
	io->level |= bit;
	if (!(io->entry[pin] & ENTRY_MASKED))
		deliver(io, pin);
}

static uint32_t read_register(const struct ioapic *io)
{
	uint32_t pin;

	switch (io->select) {
	case REG_ID:
	case REG_ARB:
		return io->id;
	case REG_VER:
		return VERSION | (IOAPIC_PINS - 1) << 16;
	}
	pin = (io->select - REG_REDIRECTION) / 2;
	if (io->select < REG_REDIRECTION || pin >= IOAPIC_PINS)
		return 0;
	return (uint32_t)(io->entry[pin] >> (io->select & 1 ? 32 : 0));
}

static void write_register(struct ioapic *io, uint32_t value)
{
	unsigned shift = io->select & 1 ? 32 : 0;
	uint64_t half = 0xFFFFFFFFull << shift;
	uint32_t pin;

	if (io->select == REG_ID)
		io->id = value & 0x0F000000;
	pin = (io->select - REG_REDIRECTION) / 2;
	if (io->select < REG_REDIRECTION || pin >= IOAPIC_PINS)
		return;
	io->entry[pin] = (io->entry[pin] & ~half) | ((uint64_t)value << shift & half);
	io->entry[pin] &= ~ENTRY_READ_ONLY;
}

/* The chip decodes 32-bit accesses to its two windows only. */
uint64_t ioapic_read(void *ctx, uint64_t offset, unsigned size)
{
	const struct ioapic *io = ctx;

	if (size != 4)
		return ~0ull;
	if (offset == IOREGSEL)
		return io->select;
	if (offset == IOWIN)
		return read_register(io);
	return ~0ull;
}

void ioapic_write(void *ctx, uint64_t offset, unsigned size, uint64_t value)
{
	struct ioapic *io = ctx;

	if (size != 4)
		return;
	if (offset == IOREGSEL)
		io->select = (uint32_t)value & 0xFF;
	else if (offset == IOWIN)
		write_register(io, (uint32_t)value);
}
