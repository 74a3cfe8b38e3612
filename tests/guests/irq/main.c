/* The UART's transmit interrupt through the IOAPIC's pin 4 and the local APIC, byte after byte;
 * none while the pin is masked. */
#include "tests/guests/lib/guest.h"

#define VECTOR 0x21u
#define WANTED 4u

static volatile unsigned seen;

void guest_trap(struct trap_frame *f)
{
	if (f->vector != VECTOR) {
		put_value("trap", f->vector);
		power_off();
	}
	seen++;
	if ((in8(UART_PORT + 2) & 0xF) != 2)
		put_text("no cause\n");
	lapic_eoi();
	if (seen < WANTED)
		out8(UART_PORT, (uint8_t)('0' + seen));
	else
		out8(UART_PORT + 1, 0);
}

static void ioapic_route(uint32_t low)
{
	mmio_write32(IOAPIC_BASE, 0x10 + 2 * UART_GSI + 1);
	mmio_write32(IOAPIC_BASE + 0x10, 0); /* to APIC id 0 */
	mmio_write32(IOAPIC_BASE, 0x10 + 2 * UART_GSI);
	mmio_write32(IOAPIC_BASE + 0x10, low);
}

void guest_main(void)
{
	lapic_enable();
	ioapic_route(1u << 16 | VECTOR);
	out8(UART_PORT + 1, 2);
	interrupts_on();
	__asm__ volatile("nop; nop");
	interrupts_off();
	put_value("masked", seen);
	out8(UART_PORT + 1, 0);
	(void)in8(UART_PORT + 2);
	ioapic_route(VECTOR);
	out8(UART_PORT + 1, 2); /* THR is empty: the first interrupt */
	while (seen < WANTED)
		halt_once();
	put_text("\n");
	put_value("interrupts", seen);
	power_off();
}
