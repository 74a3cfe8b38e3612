/* What tiny SEV-SNP guests share: the instructions, listed as sites; the GHCB protocols; output. They
 * run in ring 0 with interrupts off and no IDT: any exception is a triple fault. */
#ifndef PAVISE_TESTS_SNP_GUEST_H
#define PAVISE_TESTS_SNP_GUEST_H

#include "firmware/layout.h"

#include <stdint.h>

#define SHARED_VIEW 0x40000000ull /* linear address of GPA 0 without C-bit */

void guest_main(void);

/* Instructions. Results: EAX, and CF in bit 32. */
uint64_t pvalidate(uint64_t address, uint32_t large, uint32_t validate);
uint32_t rmpadjust(uint64_t address, uint32_t large, uint64_t attributes);
void vmgexit(void);
void fold(void);                             /* an RMPADJUST that changes nothing */

uint64_t ghcb_msr(uint64_t request);         /* write, VMGEXIT, read */
void ghcb_open(void);                        /* shares and registers FW_GHCB */
/* One call on the page: EXITINFO2; *info1 when not NULL. */
uint64_t ghcb_call(uint64_t code, uint64_t info1, uint64_t info2, uint64_t rax, uint64_t *out1);
void ghcb_port_out(uint16_t port, unsigned size, uint32_t value);
uint64_t ghcb_psc(uint64_t gpa, int private, int large); /* by the page; EXITINFO2 */
volatile uint64_t *ghcb_buffer(unsigned index);

/* Output: by the GHCB before the fold, by plain OUT after it. */
void put_text(const char *text);
void put_value(const char *name, uint64_t v);
void power_off(void) __attribute__((noreturn));

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

static inline void out32(uint16_t port, uint32_t v)
{
	__asm__ volatile("outl %0, %1" : : "a"(v), "Nd"(port) : "memory");
}

static inline uint32_t in32(uint16_t port)
{
	uint32_t v;

	__asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"(port) : "memory");
	return v;
}

static inline volatile uint64_t *at(uint64_t address)
{
	return (volatile uint64_t *)address;
}

#endif
