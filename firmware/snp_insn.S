/* Instructions of SEV-SNP (AMD APM vol. 3) as C functions: snp.h. Bytes, since the platform model
 * must find each one in the image's table. */
#include "firmware/variant.h"
#include "firmware/site.h"

	.text
	.globl snp_vmgexit
snp_vmgexit:
	vmgexit
	ret

	/* (address, size, validate): EAX, CF in bit 32. CF is set before: an instruction that does
	 * nothing at all has not validated anything. */
	.globl snp_pvalidate
snp_pvalidate:
	mov %rdi, %rax
	mov %esi, %ecx
	stc
	pvalidate
	setc %cl
	movzbl %cl, %ecx
	shl $32, %rcx
	mov %eax, %eax
	or %rcx, %rax
	ret

	/* (address, size, attributes): EAX */
	.globl snp_rmpadjust
snp_rmpadjust:
	mov %rdi, %rax
	mov %rsi, %rcx
	rmpadjust
	mov %eax, %eax
	ret
	.section .note.GNU-stack, "", @progbits
