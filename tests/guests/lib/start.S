/* The frame of every tiny guest: a flat image at 0x100000, entered in 64-bit mode on its own
 * page tables, as the plan says. Map, all of it identity:
 *
 *   0x000000  4 KiB pages, RW + NX; page 8 is RWX for the real-mode trampoline of a second CPU
 *   0x100000  code and constants, RO + X
 *   0x110000  page tables, then data; the first stack ends at 0x180000; RW + NX
 *   0x200000  2 MiB pages up to 4 GiB, RW + NX
 *
 * CR3 is 0x110000, the first RSP 0x180000: the harness knows these two numbers. */
#define PRESENT 1
#define WRITE   2
#define LARGE   0x80
#define NX      0x8000000000000000

	.section .start, "ax"
	.globl _start
_start:
	lgdt gdtr(%rip)
	call idt_init
	call guest_main
1:	hlt                     /* guests end the machine themselves */
	jmp 1b

/* Exceptions 0..31 and interrupts 32..39: push a uniform frame and call C. */
	.text
	.altmacro
	.macro STUB n
stub_\n:
	.if !(\n == 8 || (\n >= 10 && \n <= 14) || \n == 17 || \n == 21 || \n == 29 || \n == 30)
	push $0
	.endif
	push $\n
	jmp trap_entry
	.endm
	.set n, 0
	.rept 40
	STUB %n
	.set n, n + 1
	.endr

trap_entry:
	push %rax
	push %rcx
	push %rdx
	push %rbx
	push %rbp
	push %rsi
	push %rdi
	push %r8
	push %r9
	push %r10
	push %r11
	push %r12
	push %r13
	push %r14
	push %r15
	mov %rsp, %rdi
	cld
	call guest_trap
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %r11
	pop %r10
	pop %r9
	pop %r8
	pop %rdi
	pop %rsi
	pop %rbp
	pop %rbx
	pop %rdx
	pop %rcx
	pop %rax
	add $16, %rsp
	iretq

	.section .rodata, "a"
	.globl trap_stub
	.align 8
trap_stub:
	.macro REF n
	.quad stub_\n
	.endm
	.set n, 0
	.rept 40
	REF %n
	.set n, n + 1
	.endr
	.globl gdt
	.align 8
gdt:	.quad 0, 0
	.quad 0x00af9b000000ffff     /* 0x10: 64-bit code, accessed */
	.quad 0x00cf93000000ffff     /* 0x18: data, accessed */
	.quad 0x00cf9b000000ffff     /* 0x20: 32-bit code */
gdt_end:
	.globl gdtr
gdtr:	.word gdt_end - gdt - 1
	.quad gdt

	.section .tables, "aw"
	.align 4096
pml4:	.quad pdpt + PRESENT + WRITE
	.fill 511, 8, 0
pdpt:	.quad pd0 + PRESENT + WRITE
	.quad pd0 + 0x1000 + PRESENT + WRITE
	.quad pd0 + 0x2000 + PRESENT + WRITE
	.quad pd0 + 0x3000 + PRESENT + WRITE
	.fill 508, 8, 0
	.globl pd0
pd0:	.quad pt0 + PRESENT + WRITE
	.set page, 0x200000
	.rept 2047
	.quad page + PRESENT + WRITE + LARGE + NX
	.set page, page + 0x200000
	.endr
pt0:	.set page, 0
	.rept 512
	.if page >= 0x100000 && page < 0x110000
	.quad page + PRESENT
	.elseif page == 0x8000
	.quad page + PRESENT + WRITE
	.else
	.quad page + PRESENT + WRITE + NX
	.endif
	.set page, page + 0x1000
	.endr
	.section .note.GNU-stack, "", @progbits
