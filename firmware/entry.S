/* The assembler of every image: start, traps, the way to ring 3 and back, the way out.
 *
 * Start state (VMM; TDX: tdx_start.S): 64-bit mode, flat code segment, CR3 = start_pml4,
 * interrupts off, general registers zero, RSP = stack_top. Nothing of it is relied on but mode,
 * RIP and CR3. */
#include "firmware/machine.h"
#if VARIANT != VARIANT_PLAIN
#include "firmware/site.h"
#endif

#define PORT_STOP 0x80
#define STOP_MAGIC 0x50560000
#define STOP_HANDED_OVER 0x00
#define STOP_TRAP 0x10
#define STOP_TRAP_USER 0x11
#define STOP_SCRATCH_DIRTY 0x13
#define STOP_SNP_VC 0x85
#define STOP_TDX_VE 0xA4

#define MSR_EFER 0xC0000080
#define EFER_NXE (1 << 11)
#define CR0_WP   (1 << 16)

	.macro load_tables table
	lea \table(%rip), %rax
#if VARIANT == VARIANT_SNP
	bts $SNP_C_BIT, %rax
#endif
	mov %rax, %cr3
	.endm

	.section .text.entry, "ax"
	.globl fw_entry
fw_entry:
	cli
	cld
	/* The stack below is part of what is checked, so no push before. */
	mov $scratch_start, %edi
	mov $scratch_end, %ecx
	sub %edi, %ecx
	shr $3, %ecx
	xor %eax, %eax
	repe scasq
	jne dirty
	lea stack_top(%rip), %rsp
	xor %ebp, %ebp
	call machine_tables
	call paging_init

	lgdt gdt_pointer(%rip)
	pushq $SEL_CODE
	lea 1f(%rip), %rax
	push %rax
	lretq
1:	mov $SEL_DATA, %eax
	mov %eax, %ss
	mov %eax, %ds
	mov %eax, %es
	xor %eax, %eax
	mov %eax, %fs
	mov %eax, %gs
	mov $SEL_TSS, %eax
	ltr %ax
	lidt idt_pointer(%rip)

#if VARIANT != VARIANT_TDX /* there NXE is set, and no write of EFER goes without a #VE */
	mov $MSR_EFER, %ecx
	rdmsr
	or $EFER_NXE, %eax
	wrmsr
#endif
	mov %cr0, %rax
	or $CR0_WP, %rax
	mov %rax, %cr0
	load_tables own_pml4
	call fw_main
	ud2

dirty:
	mov $(STOP_MAGIC | STOP_SCRATCH_DIRTY), %eax
	/* falls through */
say_and_halt:
#if VARIANT == VARIANT_SNP
	movzbl %al, %eax
	shl $16, %eax
	or $(GHCB_TERMINATE | GHCB_STOP_SET << 12), %eax
	xor %edx, %edx
	mov $MSR_GHCB, %ecx
	wrmsr
	vmgexit
#elif VARIANT == VARIANT_TDX
	/* The host sees and changes R10 to R12 and no other register. A halt would be a #VE, so a
	 * host that comes back is told again. Where no TDCALL is, this must end too: without an IDT
	 * its #UD does not come back here. */
	lidt no_idt(%rip)
	mov %eax, %ebp
1:	mov $EXPOSE_R10_TO_R12, %ecx
	xor %r10d, %r10d
	mov $TDVMCALL_FATAL, %r11d
	mov %ebp, %r12d
	xor %eax, %eax
	tdcall
	jmp 1b
#else
	out %eax, $PORT_STOP
#endif
#if VARIANT != VARIANT_TDX
1:	cli
	hlt
	jmp 1b
#endif

#if VARIANT == VARIANT_SNP
	/* Where the other processors would start: with AP creation Linux gives them a state of its
	 * own. One that a host runs nevertheless leaves by #VC at the halt, without an IDT. */
	.globl ap_entry
ap_entry:
	cli
	hlt
	jmp ap_entry
#endif

#if VARIANT != VARIANT_PLAIN
	.globl stop_say, trap_asks_host
stop_say:
	mov %edi, %eax
	or $STOP_MAGIC, %eax
	jmp say_and_halt

	/* Nothing in this image is emulated by asking the host: a #VC or #VE has no good reason. */
trap_asks_host:
#if VARIANT == VARIANT_SNP
	mov $(STOP_MAGIC | STOP_SNP_VC), %eax
#else
	mov $(STOP_MAGIC | STOP_TDX_VE), %eax
#endif
	jmp say_and_halt
#endif

/* Traps. Every gate but #UD ends the boot; vectors with an error code have a stub of their own
 * only so that the privilege level of the trapped code is found at the right place. */
	.globl trap_plain, trap_error_code, trap_invalid_opcode
trap_error_code:
	add $8, %rsp
trap_plain:
	mov $(STOP_MAGIC | STOP_TRAP), %eax
	testb $3, 8(%rsp)
	jz say_and_halt
	mov $(STOP_MAGIC | STOP_TRAP_USER), %eax
	jmp say_and_halt

/* #UD from ring 3 at the one agreed address is the return of user_call. */
trap_invalid_opcode:
	cmpq $SEL_USER_CODE, 8(%rsp)
	jne trap_plain
	push %rax
	lea user_leave(%rip), %rax
	movabs $USER_WINDOW, %r11
	add %r11, %rax
	cmp %rax, 8(%rsp)
	pop %rax
	jne trap_plain
	mov user_saved_rsp(%rip), %rsp
	mov $SEL_DATA, %ecx
	mov %ecx, %ss
	mov %ecx, %ds
	mov %ecx, %es
	cld
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbp
	pop %rbx
	ret

	.globl user_call
user_call:
	push %rbx
	push %rbp
	push %r12
	push %r13
	push %r14
	push %r15
	mov %rsp, user_saved_rsp(%rip)
	mov %rdi, %rax
	mov %rsi, %rdi
	mov %rdx, %rsi
	mov %rcx, %rdx
	mov %r8, %rcx
	mov %r9, %r8
	movabs $USER_WINDOW, %r11
	add %r11, %rax
	pushq $SEL_USER_DATA
	lea user_stack_top(%rip), %r10
	add %r11, %r10
	push %r10
	pushq $2 /* RFLAGS: interrupts off, I/O privilege level 0 */
	pushq $SEL_USER_CODE
	lea user_enter(%rip), %r10
	add %r11, %r10
	push %r10
	xor %ebx, %ebx
	xor %ebp, %ebp
	xor %r9d, %r9d
	xor %r10d, %r10d
	xor %r11d, %r11d
	xor %r12d, %r12d
	xor %r13d, %r13d
	xor %r14d, %r14d
	xor %r15d, %r15d
	iretq

/* handover(entry, zero_page). The tables in use are switched first: then everything that is not
 * needed by Linux's first instructions can be zeroed, the stack included. */
	.globl handover
handover:
	cli
	cld
	mov %rdi, handover_target(%rip)
	lidt no_idt(%rip)
	load_tables handover_pml4
	mov $SEL_DATA, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov $scrub_start, %edi
	mov $scratch_end, %ecx
	sub %edi, %ecx
	shr $3, %ecx
	xor %eax, %eax
	rep stosq
#if VARIANT == VARIANT_SNP
	/* Takes all rights of VMPL1 to a page where it has none: nothing happens. The platform
	 * model stops modelling private memory here. */
	mov $scratch_start, %eax
	xor %ecx, %ecx
	mov $1, %edx
	fold
#elif VARIANT == VARIANT_TDX
	/* Asks the module what was asked at the start: nothing happens. The platform model stops
	 * modelling private memory here. */
	mov $TDG_VP_INFO, %eax
	tdx_fold
#else
	mov $(STOP_MAGIC | STOP_HANDED_OVER), %eax
	out %eax, $PORT_STOP
#endif
	xor %eax, %eax
	xor %ebx, %ebx
	xor %ecx, %ecx
	xor %edx, %edx
	xor %edi, %edi
	xor %ebp, %ebp
	xor %esp, %esp
	xor %r8d, %r8d
	xor %r9d, %r9d
	xor %r10d, %r10d
	xor %r11d, %r11d
	xor %r12d, %r12d
	xor %r13d, %r13d
	xor %r14d, %r14d
	xor %r15d, %r15d
	jmp *handover_target(%rip)

	.section .utext, "ax"
	.globl user_leave
user_enter:
	call *%rax
user_leave:
	ud2

	.section .rodata
	.balign 8
no_idt:
	.zero 10

	.section .bss.handover, "aw", @nobits
	.balign 8
handover_target:
	.zero 8

	/* A page below each stack is absent from every table: paging.c. */
	.section .bss.stacks, "aw", @nobits
	.balign 4096
	.globl stack_guard, stack_top, trap_guard, trap_stack_top
stack_guard:
	.zero 4096
	.zero 16384
stack_top:
trap_guard:
	.zero 4096
	.zero 4096
trap_stack_top:
	.balign 8
user_saved_rsp:
	.zero 8

	.section .bss.user_rw, "aw", @nobits
	.balign 4096
	.globl user_stack_top
	.zero 16384
user_stack_top:
	.section .note.GNU-stack, "", @progbits
