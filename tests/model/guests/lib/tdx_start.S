/* The frame of every tiny trust domain: an image with the firmware's header at 0x100000. All
 * processors start in the reset page, a copy of the image's last page, in 32-bit mode without
 * paging: the first one goes to 64-bit mode, the others wait for the ACPI wakeup mailbox. All of
 * it is private:
 *
 *   0x0000000000  identity up to 4 GiB: 4 KiB pages below 2 MiB, then 2 MiB pages
 *   0x0100000000  the same guest-physical addresses with the S-bit, up to 4 GiB, 2 MiB pages
 *   0x100000      header, code, constants, page tables: added and measured
 *   0x110000      data and stack: added as zeros */
#define PRESENT 1
#define WRITE   2
#define LARGE   0x80
#define S_BIT   0x800000000000
#define MAILBOX 0x186000
#define LONG_CS 0x10

	.section .header, "a"
	.ascii "PVFW0001"
	.long 3                         /* FW_VARIANT_TDX */
	.long 1
	.long image_size
	.long start64 - 0x100000
	.long pml4 - 0x100000
	.long 0x70000
	.long 0, 0, 0, 0
	.long 0
	.long sites - 0x100000
	.long sites_count
	.long 0

	.text
	.code32
	.globl start32
start32:
	test %esi, %esi
	jz 2f
	/* Multiprocessor Wakeup: command 1 (2 bytes), APIC id at 4, vector at 8. */
1:	pause
	cmpw $1, MAILBOX
	jne 1b
	cmp %esi, MAILBOX + 4
	jne 1b
2:	lgdt gdt_register
	mov $pml4, %eax
	mov %eax, %cr3
	mov %cr4, %eax
	or $0x20, %eax                  /* PAE; MCE stays */
	mov %eax, %cr4
	mov %cr0, %eax
	or $0x80000000, %eax            /* EFER.LME is set already */
	mov %eax, %cr0
	ljmp $LONG_CS, $start64

	.code64
start64:
	mov $LONG_CS + 8, %eax
	mov %eax, %ss
	mov %eax, %ds
	mov %eax, %es
	test %esi, %esi
	jnz 3f
	mov $0x180000, %esp
	call guest_main
park:	cli
	hlt
	jmp park
3:	mov $0x170000, %esp
	mov MAILBOX + 8, %rax
	movw $0, MAILBOX
	call *%rax
	jmp park

/* void tdcall(struct td_regs *): RBP is in no mask, so it is ours again afterwards. */
	.globl tdcall, tdx_fold_call
tdcall:
	push %rbx
	push %rbp
	push %r12
	push %r13
	push %r14
	push %r15
	mov %rdi, %rbp
	call load
	.balign 4
5:	.byte 0x66, 0x0f, 0x01, 0xcc
	.pushsection .sites, "a"
	.long 5b - 0x100000, 5
	.popsection
store:	mov %rax, (%rbp)
	mov %rcx, 8(%rbp)
	mov %rdx, 16(%rbp)
	mov %rbx, 24(%rbp)
	mov %rsi, 32(%rbp)
	mov %rdi, 40(%rbp)
	mov %r8, 48(%rbp)
	mov %r9, 56(%rbp)
	mov %r10, 64(%rbp)
	mov %r11, 72(%rbp)
	mov %r12, 80(%rbp)
	mov %r13, 88(%rbp)
	mov %r14, 96(%rbp)
	mov %r15, 104(%rbp)
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbp
	pop %rbx
	ret
tdx_fold_call:
	push %rbx
	push %rbp
	push %r12
	push %r13
	push %r14
	push %r15
	mov %rdi, %rbp
	call load
	.balign 4
6:	.byte 0x66, 0x0f, 0x01, 0xcc
	.pushsection .sites, "a"
	.long 6b - 0x100000, 6
	.popsection
	jmp store
load:	mov (%rbp), %rax
	mov 8(%rbp), %rcx
	mov 16(%rbp), %rdx
	mov 24(%rbp), %rbx
	mov 32(%rbp), %rsi
	mov 40(%rbp), %rdi
	mov 48(%rbp), %r8
	mov 56(%rbp), %r9
	mov 64(%rbp), %r10
	mov 72(%rbp), %r11
	mov 80(%rbp), %r12
	mov 88(%rbp), %r13
	mov 96(%rbp), %r14
	mov 104(%rbp), %r15
	ret

	.section .rodata
	.balign 8
gdt:	.quad 0, 0, 0x00af9b000000ffff, 0x00cf93000000ffff
gdt_register:
	.word gdt_register - gdt - 1
	.long gdt

	.section .tables, "a"
	.balign 4096
	.globl pml4
pml4:	.quad pdpt + PRESENT + WRITE
	.fill 511, 8, 0
pdpt:	.quad pd0 + PRESENT + WRITE
	.quad pd1 + PRESENT + WRITE
	.quad 0
	.quad pd3 + PRESENT + WRITE
	.quad pd_shared + PRESENT + WRITE
	.quad 0
	.quad 0
	.quad pd_shared3 + PRESENT + WRITE
	.fill 504, 8, 0
	.macro large_pages from, flags
	.set page, \from
	.rept 512
	.quad page + PRESENT + WRITE + LARGE + \flags
	.set page, page + 0x200000
	.endr
	.endm
pd0:	.quad pt0 + PRESENT + WRITE
	.set page, 0x200000
	.rept 511
	.quad page + PRESENT + WRITE + LARGE
	.set page, page + 0x200000
	.endr
pd1:	large_pages 0x40000000, 0
pd3:	large_pages 0xC0000000, 0
pd_shared: large_pages 0, S_BIT
pd_shared3: large_pages 0xC0000000, S_BIT
pt0:	.set page, 0
	.rept 512
	.quad page + PRESENT + WRITE
	.set page, page + 0x1000
	.endr

/* The image's last page; its last 16 bytes are where processors start. */
	.section .reset, "ax"
	.code32
	.fill 0xff0, 1, 0x90
	mov $start32, %eax
	jmp *%eax
	.balign 16, 0x90
	.section .note.GNU-stack, "", @progbits
