/* Where the processors of a trust domain start (TDX module ABI, "initial state of a VCPU"): at
 * 0xFFFFFFF0 in 32-bit mode, flat segments, paging off, CR0 0x21, EFER.LME and NXE set; ESI is the
 * processor's number, EBX the width of addresses. INIT and SIPI do not exist. */
#include "firmware/machine.h"

#define CR0_PG  (1 << 31)
#define CR4_PAE (1 << 5)

/* layout.h */
#define FW_MAILBOX   0x186000
#define FW_AP_TABLES 0x187000
#define FW_HASH_PAGE 0x180000

/* ACPI 6.5 §5.2.12.19, "Multiprocessor Wakeup Mailbox Structure" */
#define MAILBOX_COMMAND 0
#define MAILBOX_APIC_ID 4
#define MAILBOX_VECTOR  8
#define COMMAND_NOOP    0
#define COMMAND_WAKEUP  1

	/* EFER stays as it is, and of CR0 and CR4 every bit that is set: the module holds some. */
	.macro enter_long_mode tables, to
	lgdt start_gdt_pointer
	mov $\tables, %eax
	mov %eax, %cr3
	mov %cr4, %eax
	or $CR4_PAE, %eax
	mov %eax, %cr4
	mov %cr0, %eax
	or $CR0_PG, %eax
	mov %eax, %cr0
	ljmp $SEL_CODE, $\to
	.endm

	.section .start32, "ax"
	.code32
	.globl ap_entry
tdx_start:
	cli
	cld
	test %esi, %esi
	jnz ap_entry
	enter_long_mode start_pml4, fw_entry

	/* All but the first wait, without a stack, for Linux to call them. The mailbox is measured
	 * as zeros and private, so nobody but this guest's own first processor can fill it. */
ap_entry:
	pause
	cmpw $COMMAND_WAKEUP, FW_MAILBOX + MAILBOX_COMMAND
	jne ap_entry
	cmp %esi, FW_MAILBOX + MAILBOX_APIC_ID
	jne ap_entry
	enter_long_mode FW_AP_TABLES, ap_leave

	.section .text.ap, "ax"
	.code64
ap_leave:
	mov FW_MAILBOX + MAILBOX_VECTOR, %rax
	movw $COMMAND_NOOP, FW_MAILBOX + MAILBOX_COMMAND /* the caller waits for this */
	jmp *%rax

	.section .rodata
	.balign 8
start_gdt:
	.quad 0, 0
	.quad 0x00AF9B000000FFFF /* SEL_CODE */
	.quad 0x00CF93000000FFFF
start_gdt_end:
start_gdt_pointer:
	.word start_gdt_end - start_gdt - 1
	.long start_gdt

/* The end of the image's last page, which lies at 0xFFFFF000 once more. Before the jump, what
 * foreign tools look for: the footer table of OVMF with the offset of the TDVF descriptor (Intel
 * TDX Virtual Firmware Design Guide, "TDVF metadata"), its sections in the order of the plan. */
#define TYPE_BFV       0
#define TYPE_CFV       1
#define TYPE_TEMP_MEM  3
#define TYPE_PARAM     6 /* the VMM's to supply: the hash page */
#define MR_EXTEND      1

	.macro tdvf_section file, raw, address, size, type, attributes
	.long \file, \raw
	.quad \address, \size
	.long \type, \attributes
	.endm

	.section .reset, "a"
reset:
	.long 0xE9EAF9F3 /* e9eaf9f3-168e-44d5-a8eb-7f4d8738f6ae */
	.word 0x168E, 0x44D5
	.byte 0xA8, 0xEB, 0x7F, 0x4D, 0x87, 0x38, 0xF6, 0xAE
tdvf:
	.ascii "TDVF"
	.long tdvf_end - tdvf, 1, (tdvf_end - tdvf_sections) / 32
tdvf_sections:
	tdvf_section 0, header_image_size, IMAGE_BASE, header_image_size, TYPE_CFV, MR_EXTEND
	tdvf_section 0, 0, SCRATCH_BASE, SCRATCH_SIZE, TYPE_TEMP_MEM, 0
	tdvf_section 0, 0, FW_HASH_PAGE, 0x1000, TYPE_PARAM, MR_EXTEND
	tdvf_section 0, 0, FW_MAILBOX, 0x1000, TYPE_TEMP_MEM, MR_EXTEND
	tdvf_section reset_page_offset, 0x1000, 0xFFFFF000, 0x1000, TYPE_BFV, MR_EXTEND
tdvf_end:
	.org RESET_SIZE - 32 - 40
	.long reset_end - tdvf
	.word 22
	.long 0xE47A6535 /* e47a6535-984a-4798-865e-4685a7bf8ec2 */
	.word 0x984A, 0x4798
	.byte 0x86, 0x5E, 0x46, 0x85, 0xA7, 0xBF, 0x8E, 0xC2
	.word 40
	.long 0x96B582DE /* 96b582de-1fb2-45f7-baea-a366c55a082d */
	.word 0x1FB2, 0x45F7
	.byte 0xBA, 0xEA, 0xA3, 0x66, 0xC5, 0x5A, 0x08, 0x2D
	.org RESET_SIZE - 32
	.long tdvf - IMAGE_BASE /* where images before that table had it */
	.org RESET_SIZE - 16
	.code32
	mov $tdx_start, %eax
	jmp *%eax
	.org RESET_SIZE
reset_end:
	.section .note.GNU-stack, "", @progbits
