/* Descriptor tables (SDM vol. 3 §3.4.5, §6.14, §8.7) and the stop. */
#include "firmware/machine.h"

#include "firmware/layout.h"

#define IDT_GATES 256u
#define VECTOR_INVALID_OPCODE 6u
/* #DF, #TS, #NP, #SS, #GP, #PF, #AC, #CP, #VC, #SX push an error code. */
#define VECTORS_WITH_ERROR_CODE \
	(1u << 8 | 1u << 10 | 1u << 11 | 1u << 12 | 1u << 13 | 1u << 14 | 1u << 17 | 1u << 21 | \
	 1u << 29 | 1u << 30)

struct gate {
	uint16_t offset_low, selector;
	uint8_t ist, type;
	uint16_t offset_middle;
	uint32_t offset_high, reserved;
};

struct tss {
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t reserved1;
	uint64_t ist[7];
	uint64_t reserved2;
	uint16_t reserved3, io_map;
} __attribute__((packed));

struct table_pointer {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

extern const uint8_t trap_plain[], trap_error_code[], trap_invalid_opcode[];
extern uint8_t trap_stack_top[];
#if VARIANT == VARIANT_SNP
#define VECTOR_ASKS_HOST 29u /* #VC */
#else
#define VECTOR_ASKS_HOST 20u /* #VE */
#endif
#if VARIANT != VARIANT_PLAIN
extern const uint8_t trap_asks_host[];
_Noreturn void stop_say(uint32_t code); /* entry.S */
#endif

/* Read by Linux until it loads its own, so it outlives the firmware. */
static uint64_t gdt[8] IN_HANDOVER;
static struct gate idt[IDT_GATES];
static struct tss tss;
struct table_pointer gdt_pointer, idt_pointer;

_Noreturn void stop(enum fw_stop code)
{
#if VARIANT != VARIANT_PLAIN
	stop_say((uint32_t)code);
#else
	__asm__ volatile("outl %0, %1" : : "a"(STOP_MAGIC | (uint32_t)code), "N"(PORT_STOP));
	for (;;)
		__asm__ volatile("cli; hlt");
#endif
}

static void set_gate(unsigned vector, const void *handler)
{
	uintptr_t at = (uintptr_t)handler;

	idt[vector] = (struct gate){
		.offset_low = (uint16_t)at,
		.selector = SEL_CODE,
		.ist = 1, /* a good stack, whatever trapped */
		.type = 0x8E, /* present, DPL 0, interrupt gate */
		.offset_middle = (uint16_t)(at >> 16),
		.offset_high = (uint32_t)(at >> 32),
	};
}

void machine_tables(void)
{
	uint64_t base = (uintptr_t)&tss;

	/* Accessed bits set: the processor need not write the table. */
	gdt[SEL_CODE / 8] = 0x00AF9B000000FFFF;
	gdt[SEL_DATA / 8] = 0x00CF93000000FFFF;
	gdt[SEL_USER_CODE / 8] = 0x00AFFB000000FFFF;
	gdt[SEL_USER_DATA / 8] = 0x00CFF3000000FFFF;
	gdt[SEL_TSS / 8] = (sizeof(tss) - 1) | (base & 0xFFFFFF) << 16 | 0x89ull << 40 |
			   (base >> 24 & 0xFF) << 56;
	gdt[SEL_TSS / 8 + 1] = base >> 32;
	gdt_pointer = (struct table_pointer){ sizeof(gdt) - 1, (uintptr_t)gdt };

	tss.rsp[0] = (uintptr_t)trap_stack_top;
	tss.ist[0] = (uintptr_t)trap_stack_top;
	tss.io_map = sizeof(tss); /* no I/O from ring 3 */

	for (unsigned v = 0; v < IDT_GATES; v++)
		set_gate(v, v < 32 && (VECTORS_WITH_ERROR_CODE >> v & 1) != 0 ? trap_error_code :
										trap_plain);
	set_gate(VECTOR_INVALID_OPCODE, trap_invalid_opcode);
#if VARIANT != VARIANT_PLAIN
	set_gate(VECTOR_ASKS_HOST, trap_asks_host);
#endif
	idt_pointer = (struct table_pointer){ sizeof(idt) - 1, (uintptr_t)idt };
}

#define CR4_OSFXSR (1ull << 9)

void machine_vectors(bool on)
{
	uint64_t cr4;

	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	cr4 = on ? cr4 | CR4_OSFXSR : cr4 & ~CR4_OSFXSR;
	__asm__ volatile("mov %0, %%cr4" : : "r"(cr4));
}
