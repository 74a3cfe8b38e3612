/* From the hand-over, 64-bit mode with all registers zero but RSI, to the state a PVH kernel is
 * entered in (Xen's misc/pvh.pandoc): 32-bit flat segments, no paging, EBX = start info. All it
 * needs lies in that page: startinfo.h. */
#include "firmware/startinfo.h"
#include "firmware/variant.h"

#define CR0_PG_WP 0x80010000
#define CR4_MCE   0x40
#define MSR_EFER  0xC0000080

	.text
	.globl pvh_enter
pvh_enter:
	lgdt PVH_GDT_POINTER(%rsi)
	mov %esi, %ebx
	lea PVH_STACK(%rsi), %rsp
	pushq $PVH_SEL_CODE
	lea pvh_32(%rip), %rax
	push %rax
	lretq

	.code32
pvh_32:
	mov $PVH_SEL_DATA, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov %eax, %fs
	mov %eax, %gs
	mov %cr0, %eax
	and $~CR0_PG_WP, %eax
	mov %eax, %cr0
	xor %eax, %eax
	mov %eax, %cr3
#if VARIANT == VARIANT_PLAIN
	/* A trust domain may not write EFER, and its bits mean nothing without paging. */
	xor %edx, %edx
	mov $MSR_EFER, %ecx
	wrmsr
#endif
	mov %cr4, %eax
	and $CR4_MCE, %eax /* which a trust domain may not clear */
	mov %eax, %cr4
	mov $PVH_SEL_TSS, %eax
	ltr %ax
	xor %eax, %eax
	xor %ecx, %ecx
	xor %edx, %edx
	xor %esi, %esi
	xor %edi, %edi
	xor %ebp, %ebp
	xor %esp, %esp
	jmp *PVH_ENTRY(%ebx)
	.section .note.GNU-stack, "", @progbits
