/* What tiny guests share. They are freestanding and run in ring 0 with interrupts off, on KVMs
 * that may emulate every instruction: no SSE, no INT n, no long loops. */
#ifndef PAVISE_TESTS_GUEST_H
#define PAVISE_TESTS_GUEST_H

#include "firmware/layout.h"
#include "firmware/stop.h"

#include <stdint.h>

/* The stack as trap_entry leaves it. */
struct trap_frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax;
	uint64_t vector, error, rip, cs, rflags, rsp, ss;
};

/* Each guest defines these. */
void guest_main(void);
/* Default (weak): prints "trap VECTOR error ERROR" and powers off. */
void guest_trap(struct trap_frame *f);

void idt_init(void);

static inline void out8(uint16_t port, uint8_t v)
{
	__asm__ volatile("outb %0, %1" : : "a"(v), "Nd"(port) : "memory");
}

static inline void out16(uint16_t port, uint16_t v)
{
	__asm__ volatile("outw %0, %1" : : "a"(v), "Nd"(port) : "memory");
}

static inline void out32(uint16_t port, uint32_t v)
{
	__asm__ volatile("outl %0, %1" : : "a"(v), "Nd"(port) : "memory");
}

static inline uint8_t in8(uint16_t port)
{
	uint8_t v;

	__asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port) : "memory");
	return v;
}

static inline uint16_t in16(uint16_t port)
{
	uint16_t v;

	__asm__ volatile("inw %1, %0" : "=a"(v) : "Nd"(port) : "memory");
	return v;
}

static inline uint32_t in32(uint16_t port)
{
	uint32_t v;

	__asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"(port) : "memory");
	return v;
}

/* MMIO by plain moves of one width. */
static inline uint8_t mmio_read8(uint64_t a) { return *(volatile uint8_t *)a; }
static inline uint16_t mmio_read16(uint64_t a) { return *(volatile uint16_t *)a; }
static inline uint32_t mmio_read32(uint64_t a) { return *(volatile uint32_t *)a; }
static inline uint64_t mmio_read64(uint64_t a) { return *(volatile uint64_t *)a; }
static inline void mmio_write8(uint64_t a, uint8_t v) { *(volatile uint8_t *)a = v; }
static inline void mmio_write16(uint64_t a, uint16_t v) { *(volatile uint16_t *)a = v; }
static inline void mmio_write32(uint64_t a, uint32_t v) { *(volatile uint32_t *)a = v; }
static inline void mmio_write64(uint64_t a, uint64_t v) { *(volatile uint64_t *)a = v; }

static inline uint64_t rdmsr(uint32_t index)
{
	uint32_t low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(index));
	return (uint64_t)high << 32 | low;
}

static inline void wrmsr(uint32_t index, uint64_t v)
{
	__asm__ volatile("wrmsr" : : "c"(index), "a"((uint32_t)v), "d"((uint32_t)(v >> 32))
			 : "memory");
}

static inline void cpuid(uint32_t leaf, uint32_t sub, uint32_t out[4])
{
	__asm__ volatile("cpuid" : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3])
			 : "a"(leaf), "c"(sub));
}

static inline void interrupts_on(void) { __asm__ volatile("sti" : : : "memory"); }
static inline void interrupts_off(void) { __asm__ volatile("cli" : : : "memory"); }
static inline void halt_once(void) { __asm__ volatile("sti; hlt; cli" : : : "memory"); }

/* Serial output. */
void put_text(const char *text);
void put_hex(uint64_t v);                      /* lower case, no leading zeros, no 0x */
void put_value(const char *name, uint64_t v);  /* "name=hex\n" */

/* Ends. */
void power_off(void) __attribute__((noreturn));
void reset(void) __attribute__((noreturn));
void stop(uint32_t code) __attribute__((noreturn));
void hang(void) __attribute__((noreturn));

/* Local APIC, xAPIC mode. */
void lapic_enable(void);
void lapic_eoi(void);

#endif
