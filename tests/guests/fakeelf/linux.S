/* A vmlinux as small as it gets: two segments, Linux's note and a PVH entry, which a loader that
 * starts Linux in 64-bit mode does not take. Says what it found and powers off. */
#include "tests/guests/fakeelf/parts.h"

	note "Linux", 0x101, 1
	note "Xen", 18, pvh_entry

	.text
	.globl start
pvh_entry:
	ud2
start:
	cmpl $0x53726448, 0x202(%rsi)  /* the zero page: "HdrS" */
	jne bad
	cmpl $DATA_WORD, data_word
	jne bad
	cmpl $0, bss_word
	jne bad
	cmpl $0, bss_end - 4
	jne bad
	mov $0x18, %eax
	mov %eax, %ss
	lea stack_top(%rip), %rsp
	lea good_text(%rip), %rsi
	mov $good_end - good_text, %ecx
	jmp say
bad:
	lea bad_text(%rip), %rsi
	mov $bad_end - bad_text, %ecx
	say_and_power_off
good_text:
	.ascii "fake vmlinux runs\n"
good_end:
	data_and_bss
