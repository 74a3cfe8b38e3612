/* The smallest bzImage the firmware accepts (boot.rst). Its 64-bit entry writes every register it
 * was entered with to its own memory, from where the test reads them out of the guest's RAM; then
 * it proves that descriptor table and serial port work, and powers off. Position independent. */
#define PREF_ADDRESS 0x1000000
#define INIT_SIZE    0x400000
#define SAVED        0x800 /* offset from the load address: tests/kvm/fw_machine.h */

	.text
file:
	.org 0x1F1
	.byte 1                    /* setup_sects: one behind the boot sector */
	.org 0x1FE
	.word 0xAA55
	.byte 0xEB, header_end - 0x202
	.ascii "HdrS"
	.word 0x20F                /* protocol 2.15 */
	.org 0x211
	.byte 1                    /* loadflags: LOADED_HIGH */
	.org 0x228
	.long 0x12345678           /* cmd_line_ptr: must be replaced */
	.long 0x7FFFFFFF           /* initrd_addr_max */
	.org 0x236
	.word 1                    /* xloadflags: XLF_KERNEL_64 */
	.long 255                  /* cmdline_size */
	.org 0x248
	.long 0x900, 0x100         /* payload */
	.quad 0x1122334455667788   /* setup_data: must not survive */
	.quad PREF_ADDRESS
	.long INIT_SIZE
	.org 0x26C
header_end = . - file

	.org 0x400                 /* the protected-mode part */
load:
	ud2                        /* the 32-bit entry is not for us */
	.org 0x600                 /* load + 0x200 */
entry_64:
	mov %rax, saved(%rip)
	mov %rbx, saved + 8(%rip)
	mov %rcx, saved + 16(%rip)
	mov %rdx, saved + 24(%rip)
	mov %rsi, saved + 32(%rip)
	mov %rdi, saved + 40(%rip)
	mov %rbp, saved + 48(%rip)
	mov %rsp, saved + 56(%rip)
	mov %r8, saved + 64(%rip)
	mov %r9, saved + 72(%rip)
	mov %r10, saved + 80(%rip)
	mov %r11, saved + 88(%rip)
	mov %r12, saved + 96(%rip)
	mov %r13, saved + 104(%rip)
	mov %r14, saved + 112(%rip)
	mov %r15, saved + 120(%rip)
	lea stack_top(%rip), %rsp
	pushfq
	popq saved + 128(%rip)
	xor %eax, %eax
	mov %cs, %eax
	mov %rax, saved + 136(%rip)
	mov %ds, %eax
	mov %rax, saved + 144(%rip)
	mov %es, %eax
	mov %rax, saved + 152(%rip)
	mov %ss, %eax
	mov %rax, saved + 160(%rip)
	mov %cr0, %rax
	mov %rax, saved + 168(%rip)
	mov %cr3, %rax
	mov %rax, saved + 176(%rip)
	mov %cr4, %rax
	mov %rax, saved + 184(%rip)
	mov $0xC0000080, %ecx      /* EFER */
	rdmsr
	mov %eax, saved + 192(%rip)
	mov %cr4, %rax             /* OSFXSR: FXSAVE saves the XMM registers too */
	or $0x200, %eax
	mov %rax, %cr4
	fxsave vectors(%rip)

	/* Load the selectors afresh: the table they name must be there. */
	mov $0x18, %eax
	mov %eax, %ds
	mov %eax, %ss
	pushq $0x10
	lea 1f(%rip), %rax
	push %rax
	lretq
1:	lea message(%rip), %rsi
	mov $message_end - message, %ecx
	mov $0x3F8, %edx
2:	lodsb
	out %al, %dx
	loop 2b
	mov $0x600, %edx           /* sleep control: type 5, enable */
	mov $0x34, %al
	out %al, %dx
3:	hlt
	jmp 3b

message:
	.ascii "fake kernel runs\n"
message_end:
	.org 0x400 + SAVED
saved:
	.zero 256
vectors:
	.zero 512
	.org 0x1300
stack_top:
	.org 0x1400
