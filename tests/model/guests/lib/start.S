/* The frame of every tiny SEV-SNP guest: an image with the firmware's header at 0x100000, entered in
 * 64-bit mode on its own page tables. All of it is private:
 *
 *   0x0000000000  identity, C-bit set, up to 1 GiB: 4 KiB pages below 2 MiB, then 2 MiB pages
 *   0x0040000000  the same guest-physical addresses without C-bit, 2 MiB pages
 *   0x100000      header, code, constants, page tables: launched as NORMAL
 *   0x110000      data and stack: launched as ZERO */
#define PRESENT 1
#define WRITE   2
#define LARGE   0x80
#define C_BIT   0x8000000000000

	.section .header, "a"
	.ascii "PVFW0001"
	.long 2                         /* FW_VARIANT_SNP */
	.long 1
	.long image_size
	.long _start - 0x100000
	.long pml4 - 0x100000
	.long 0x70000
	.long 0, 0, 0, 0
	.long park - 0x100000
	.long sites - 0x100000
	.long sites_count
	.long 0

	.text
	.globl _start
_start:
	call guest_main
park:	cli
	hlt
	jmp park

	.section .tables, "a"
	.balign 4096
	.globl pml4
pml4:	.quad pdpt + PRESENT + WRITE + C_BIT
	.fill 511, 8, 0
pdpt:	.quad pd0 + PRESENT + WRITE + C_BIT
	.quad pd1 + PRESENT + WRITE + C_BIT
	.fill 510, 8, 0
pd0:	.quad pt0 + PRESENT + WRITE + C_BIT
	.set page, 0x200000
	.rept 511
	.quad page + PRESENT + WRITE + LARGE + C_BIT
	.set page, page + 0x200000
	.endr
pd1:	.set page, 0
	.rept 512
	.quad page + PRESENT + WRITE + LARGE
	.set page, page + 0x200000
	.endr
pt0:	.set page, 0
	.rept 512
	.quad page + PRESENT + WRITE + C_BIT
	.set page, page + 0x1000
	.endr
	.section .note.GNU-stack, "", @progbits
