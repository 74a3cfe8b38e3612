/* TDCALL as a C function: tdx.h. Bytes, since the platform model must find it in the image's
 * table. */
#include "firmware/variant.h"
#include "firmware/site.h"

	.text
	/* (leaf, registers): RAX. Registers that no mask names are the module's to keep; those a
	 * host may have filled are cleared once they are stored. */
	.globl tdx_call
tdx_call:
	push %r12
	push %r13
	push %r14
	push %r15
	push %rsi
	mov %rdi, %rax
	mov (%rsi), %rcx
	mov 8(%rsi), %rdx
	mov 16(%rsi), %r8
	mov 24(%rsi), %r9
	mov 32(%rsi), %r10
	mov 40(%rsi), %r11
	mov 48(%rsi), %r12
	mov 56(%rsi), %r13
	mov 64(%rsi), %r14
	mov 72(%rsi), %r15
	tdcall
	pop %rsi
	mov %rcx, (%rsi)
	mov %rdx, 8(%rsi)
	mov %r8, 16(%rsi)
	mov %r9, 24(%rsi)
	mov %r10, 32(%rsi)
	mov %r11, 40(%rsi)
	mov %r12, 48(%rsi)
	mov %r13, 56(%rsi)
	mov %r14, 64(%rsi)
	mov %r15, 72(%rsi)
	xor %ecx, %ecx
	xor %edx, %edx
	xor %r8d, %r8d
	xor %r9d, %r9d
	xor %r10d, %r10d
	xor %r11d, %r11d
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	ret
	.section .note.GNU-stack, "", @progbits
