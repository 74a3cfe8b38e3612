#include "tests/model/guests/lib/snp.h"

#include <stdbool.h>

#define GHCB_MSR 0xC0010130u
#define UART     0x3F8u

/* The instruction at label 1, listed with its kind; aligned, so that none crosses a page. */
#define SITE(bytes, kind) \
	".balign 4\n1: .byte " bytes "\n" \
	".pushsection .sites, \"a\"\n.long 1b - 0x100000, " kind "\n.popsection\n"

static bool folded;

__attribute__((noinline)) uint64_t pvalidate(uint64_t address, uint32_t large, uint32_t validate)
{
	uint64_t code = address, carry;

	__asm__ volatile(SITE("0xf2, 0x0f, 0x01, 0xff", "1") "setc %b1\n\tmovzbl %b1, %k1"
			 : "+a"(code), "=&r"(carry) : "c"(large), "d"(validate) : "cc", "memory");
	return carry << 32 | (uint32_t)code;
}

__attribute__((noinline)) uint32_t rmpadjust(uint64_t address, uint32_t large, uint64_t attributes)
{
	uint64_t code = address;

	__asm__ volatile(SITE("0xf3, 0x0f, 0x01, 0xfe", "2")
			 : "+a"(code) : "c"(large), "d"(attributes) : "cc", "memory");
	return (uint32_t)code;
}

__attribute__((noinline)) void vmgexit(void)
{
	__asm__ volatile(SITE("0xf3, 0x0f, 0x01, 0xd9", "3") : : : "cc", "memory");
}

__attribute__((noinline)) void fold(void)
{
	uint64_t code = FW_IMAGE;

	__asm__ volatile(SITE("0xf3, 0x0f, 0x01, 0xfe", "4")
			 : "+a"(code) : "c"(0), "d"(1) : "cc", "memory");
	folded = true;
}

uint64_t ghcb_msr(uint64_t request)
{
	wrmsr(GHCB_MSR, request);
	vmgexit();
	return rdmsr(GHCB_MSR);
}

static volatile uint64_t *field(unsigned offset)
{
	return at(SHARED_VIEW + FW_GHCB + offset);
}

void ghcb_open(void)
{
	(void)pvalidate(FW_GHCB, 0, 0);
	(void)ghcb_msr(FW_GHCB | 2ull << 52 | 0x14);
	(void)ghcb_msr(FW_GHCB | 0x12);
}

volatile uint64_t *ghcb_buffer(unsigned index)
{
	return field(0x800 + 8 * index);
}

uint64_t ghcb_call(uint64_t code, uint64_t info1, uint64_t info2, uint64_t rax, uint64_t *out1)
{
	*field(0x1F8) = rax;
	*field(0x390) = code;
	*field(0x398) = info1;
	*field(0x3A0) = info2;
	*field(0x3A8) = FW_GHCB + 0x800;
	/* RAX, exit code, both informations, scratch */
	*field(0x3F0) = 1ull << 63;
	*field(0x3F8) = 1ull << 50 | 1ull << 51 | 1ull << 52 | 1ull << 53;
	*field(0xFF8) = 2ull << 16;
	wrmsr(GHCB_MSR, FW_GHCB);
	vmgexit();
	if (out1)
		*out1 = *field(0x398);
	return *field(0x3A0);
}

void ghcb_port_out(uint16_t port, unsigned size, uint32_t value)
{
	(void)ghcb_call(0x7B, (uint64_t)port << 16 | size << 4, 0, value, 0);
}

uint64_t ghcb_psc(uint64_t gpa, int private, int large)
{
	*ghcb_buffer(0) = 0;
	*ghcb_buffer(1) = gpa | (private ? 1ull : 2ull) << 52 | (large ? 1ull << 56 : 0);
	return ghcb_call(0x80000010, 0, 0, 0, 0);
}

static void put_byte(char c)
{
	if (folded)
		__asm__ volatile("outb %0, %1" : : "a"(c), "Nd"((uint16_t)UART) : "memory");
	else
		ghcb_port_out(UART, 1, (uint8_t)c);
}

void put_text(const char *text)
{
	while (*text)
		put_byte(*text++);
}

void put_value(const char *name, uint64_t v)
{
	bool seen = false;

	put_text(name);
	put_byte('=');
	for (int shift = 60; shift >= 0; shift -= 4) {
		unsigned digit = (unsigned)(v >> shift & 15);

		if (digit == 0 && !seen && shift != 0)
			continue;
		seen = true;
		put_byte((char)(digit < 10 ? '0' + digit : 'a' + digit - 10));
	}
	put_byte('\n');
}

void power_off(void)
{
	if (folded)
		__asm__ volatile("outb %0, %1" : : "a"((uint8_t)0x34),
				 "Nd"((uint16_t)PORT_SLEEP_CONTROL));
	else
		ghcb_port_out(PORT_SLEEP_CONTROL, 1, 0x34);
	for (;;)
		__asm__ volatile("hlt");
}
