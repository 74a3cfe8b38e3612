/* SDM vol. 3 §9.4.4: what a processor finds after SIPI, and the way to 64-bit mode (§10.8.5). */
	.section .rodata, "a"
	.globl trampoline, trampoline_end
	.code16
trampoline:
	cli
	xor %ax, %ax
	mov %ax, %ds
	lgdtl 0x8000 + (low_gdtr - trampoline)
	mov $0x110000, %eax          /* the first processor's page tables */
	mov %eax, %cr3
	mov $0x20, %eax
	mov %eax, %cr4
	mov $0xC0000080, %ecx
	mov $0x900, %eax             /* LME, NXE */
	xor %edx, %edx
	wrmsr
	mov $0x80010031, %eax
	mov %eax, %cr0
	ljmpl $0x10, $second_start
low_gdtr:
	.word 5 * 8 - 1
	.long gdt
trampoline_end:

	.code64
	.text
second_start:
	mov $1, %eax
	cpuid
	shr $24, %ebx                /* initial APIC id */
	mov %ebx, second_cpu_id
1:	hlt
	jmp 1b

	.data
	.globl second_cpu_id
second_cpu_id:
	.long 0
	.section .note.GNU-stack, "", @progbits
