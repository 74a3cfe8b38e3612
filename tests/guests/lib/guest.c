#include "tests/guests/lib/guest.h"

#define IDT_VECTORS 40
#define GATE_INTERRUPT 0x8E00u
#define CODE_SELECTOR 0x10u

struct gate {
	uint16_t offset_low, selector, flags, offset_middle;
	uint32_t offset_high, zero;
};

extern const uint64_t trap_stub[IDT_VECTORS];

static struct gate idt[IDT_VECTORS];

void idt_init(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) idtr = { sizeof(idt) - 1, (uint64_t)idt };

	for (unsigned i = 0; i < IDT_VECTORS; i++) {
		uint64_t to = trap_stub[i];

		idt[i].offset_low = (uint16_t)to;
		idt[i].selector = CODE_SELECTOR;
		idt[i].flags = GATE_INTERRUPT;
		idt[i].offset_middle = (uint16_t)(to >> 16);
		idt[i].offset_high = (uint32_t)(to >> 32);
	}
	__asm__ volatile("lidt %0" : : "m"(idtr));
}

__attribute__((weak)) void guest_trap(struct trap_frame *f)
{
	put_text("trap ");
	put_hex(f->vector);
	put_text(" error ");
	put_hex(f->error);
	put_text("\n");
	power_off();
}

void put_text(const char *text)
{
	while (*text)
		out8(UART_PORT, (uint8_t)*text++);
}

void put_hex(uint64_t v)
{
	unsigned shift = 60;

	while (shift > 0 && !(v >> shift & 15))
		shift -= 4;
	for (;; shift -= 4) {
		unsigned digit = v >> shift & 15;

		out8(UART_PORT, (uint8_t)(digit < 10 ? '0' + digit : 'a' + digit - 10));
		if (shift == 0)
			return;
	}
}

void put_value(const char *name, uint64_t v)
{
	put_text(name);
	put_text("=");
	put_hex(v);
	put_text("\n");
}

void hang(void)
{
	for (;;)
		__asm__ volatile("cli; hlt");
}

void power_off(void)
{
	out8(PORT_SLEEP_CONTROL, 0x34);
	hang();
}

void reset(void)
{
	out8(PORT_RESET, 1);
	hang();
}

void stop(uint32_t code)
{
	out32(PORT_STOP, STOP_MAGIC | code);
	hang();
}

#define LAPIC_EOI 0xB0u
#define LAPIC_SPURIOUS 0xF0u

void lapic_enable(void)
{
	mmio_write32(LAPIC_BASE + LAPIC_SPURIOUS, 0x100 | 0xFF);
}

void lapic_eoi(void)
{
	mmio_write32(LAPIC_BASE + LAPIC_EOI, 0);
}
