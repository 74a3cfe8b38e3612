/* A fault point on the way to a function of a library (ld --wrap leads the calls here): tells
 * fault_point() where the call comes from, then goes on as if nothing had been. The registers that
 * may hold arguments (System V ABI for x86-64, 3.2.3), the count of vector registers in al among
 * them, are as they were. For generated assembler files. */
	.macro POINT name
	.text
	.globl	__wrap_\name
	.type	__wrap_\name, @function
__wrap_\name:
	endbr64
	call	fault_enter
	jmp	*__real_\name@GOTPCREL(%rip)
	.size	__wrap_\name, . - __wrap_\name
	.endm
