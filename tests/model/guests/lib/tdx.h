/* What tiny trust domains share: TDCALL and TDVMCALL, output. They run in ring 0 with interrupts
 * off and no IDT: any exception is a triple fault. */
#ifndef PAVISE_TESTS_TDX_GUEST_H
#define PAVISE_TESTS_TDX_GUEST_H

#include "firmware/layout.h"

#include <stdint.h>

#define SHARED_VIEW 0x100000000ull /* linear address of GPA 0 with the S-bit */
#define S_BIT (1ull << TDX_S_BIT)

struct td_regs {
	uint64_t rax, rcx, rdx, rbx, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15;
};

enum { VP_VMCALL, VP_INFO, RTMR_EXTEND, VEINFO_GET, MR_REPORT, PAGE_ACCEPT = 6, VM_RD, VM_WR };
enum { CALL_CPUID = 10, CALL_IO = 30, CALL_RDMSR = 31, CALL_MMIO = 48, CALL_INFO = 0x10000,
       CALL_MAP_GPA, CALL_QUOTE, CALL_FATAL, CALL_NOTIFY };

void guest_main(void);

void tdcall(struct td_regs *r);
void tdx_fold_call(struct td_regs *r);

/* RAX of a leaf with operands in RCX, RDX, R8. */
uint64_t td_leaf(uint64_t leaf, uint64_t rcx, uint64_t rdx, uint64_t r8);
uint64_t td_accept(uint64_t gpa, unsigned level);
/* R10 of a TDVMCALL, and R11 when out is not NULL. */
uint64_t td_vmcall(uint64_t function, uint64_t r12, uint64_t r13, uint64_t r14, uint64_t r15,
		   uint64_t *out);
void fold(void); /* a TDG.VP.INFO */

/* Output: by TDVMCALL before the fold, by plain OUT after it. */
void put_text(const char *text);
void put_value(const char *name, uint64_t v);
void power_off(void) __attribute__((noreturn));

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
