#include "tests/model/guests/lib/tdx.h"

#include <stdbool.h>

static bool folded;

uint64_t td_leaf(uint64_t leaf, uint64_t rcx, uint64_t rdx, uint64_t r8)
{
	struct td_regs r = { .rax = leaf, .rcx = rcx, .rdx = rdx, .r8 = r8 };

	tdcall(&r);
	return r.rax;
}

uint64_t td_accept(uint64_t gpa, unsigned level)
{
	return td_leaf(PAGE_ACCEPT, gpa | level, 0, 0);
}

uint64_t td_vmcall(uint64_t function, uint64_t r12, uint64_t r13, uint64_t r14, uint64_t r15,
		   uint64_t *out)
{
	struct td_regs r = { .rax = VP_VMCALL, .rcx = 0xFC00, .r11 = function, .r12 = r12,
			     .r13 = r13, .r14 = r14, .r15 = r15 };

	tdcall(&r);
	if (out)
		*out = r.r11;
	return r.rax != 0 ? r.rax : r.r10;
}

void fold(void)
{
	struct td_regs r = { .rax = VP_INFO };

	tdx_fold_call(&r);
	folded = true;
}

static void out8(uint16_t port, uint8_t v)
{
	if (folded)
		__asm__ volatile("outb %0, %1" : : "a"(v), "Nd"(port) : "memory");
	else
		(void)td_vmcall(CALL_IO, 1, 1, port, v, 0);
}

void put_text(const char *text)
{
	while (*text)
		out8(UART_PORT, (uint8_t)(*text++));
}

void put_value(const char *name, uint64_t v)
{
	bool seen = false;

	put_text(name);
	out8(UART_PORT, '=');
	for (int shift = 60; shift >= 0; shift -= 4) {
		unsigned digit = (unsigned)(v >> shift & 15);

		if (digit == 0 && !seen && shift != 0)
			continue;
		seen = true;
		out8(UART_PORT, (uint8_t)(digit < 10 ? '0' + digit : 'a' + digit - 10));
	}
	out8(UART_PORT, '\n');
}

void power_off(void)
{
	out8(PORT_SLEEP_CONTROL, 0x34);
	for (;;)
		__asm__ volatile("hlt");
}
