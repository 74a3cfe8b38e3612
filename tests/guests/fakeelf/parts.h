/* What both ELF kernels are made of. */
#define DATA_WORD 0x600DDA7A

	.macro note owner, type, value
	.pushsection .note.kernel, "a", @note
	.balign 4
	.long 2f - 1f, 4, \type
1:	.asciz "\owner"
2:	.balign 4
	.long \value
	.popsection
	.endm

	/* %esi, %ecx: text and its length. The same bytes in 32 and 64 bits. */
	.macro say_and_power_off
say:
	mov $0x3F8, %edx
3:	lodsb
	out %al, %dx
	loop 3b
	mov $0x600, %edx           /* sleep control: type 5, enable */
	mov $0x34, %al
	out %al, %dx
4:	hlt
	jmp 4b
bad_text:
	.ascii "fake kernel: not as it should be\n"
bad_end:
	.endm

	.macro data_and_bss
	.data
saved:
	.zero 64
data_word:
	.long DATA_WORD
	.bss
bss_word:
	.zero 0x3000
stack_top:
	.zero 0x1000
bss_end:
	.endm
