/* A kernel with a PVH entry and no other. Notes the state it was entered in for the test, says what
 * it found and powers off. */
#include "tests/guests/fakeelf/parts.h"

	note "Xen", 18, pvh_entry

	.text
	.globl start
start:
	ud2
	.code32
pvh_entry:
	mov %eax, saved + 0
	mov %ebx, saved + 4
	mov %ecx, saved + 8
	mov %edx, saved + 12
	mov %esi, saved + 16
	mov %edi, saved + 20
	mov %ebp, saved + 24
	mov %esp, saved + 28
	mov $stack_top, %esp
	pushf
	popl saved + 32
	mov %cr0, %eax
	mov %eax, saved + 36
	mov %cr4, %eax
	mov %eax, saved + 40
	xor %eax, %eax
	mov %cs, %eax
	mov %eax, saved + 44
	mov %ds, %eax
	mov %eax, saved + 48
	mov %ss, %eax
	mov %eax, saved + 52
	str %ax
	mov %eax, saved + 56
	mov $0xC0000080, %ecx          /* EFER */
	rdmsr
	mov %eax, saved + 60
	cmpl $0x336EC578, (%ebx)
	jne bad
	cmpl $DATA_WORD, data_word
	jne bad
	cmpl $0, bss_word
	jne bad
	cmpl $0, bss_end - 4
	jne bad
	/* The command line, where the start info says. */
	mov 24(%ebx), %esi
	cmpl $0x65697571, (%esi)       /* "quie" */
	jne bad
	mov $good_text, %esi
	mov $good_end - good_text, %ecx
	jmp say
bad:
	mov $bad_text, %esi
	mov $bad_end - bad_text, %ecx
	say_and_power_off
good_text:
	.ascii "fake PVH kernel runs\n"
good_end:
	data_and_bss
