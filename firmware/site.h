/* Assembler only: the instructions of struct fw_site, each noted down in the image's table. A
 * multiple of four keeps every one inside a page. */
#ifndef PAVISE_FIRMWARE_SITE_H
#define PAVISE_FIRMWARE_SITE_H

#define MSR_GHCB       0xC0010130
#define GHCB_TERMINATE 0x100 /* ghcb.h */
#define GHCB_STOP_SET  3

/* tdcall.h; the registers R10 to R12 of a TDG.VP.VMCALL */
#define TDG_VP_INFO        1
#define TDVMCALL_FATAL     0x10003
#define EXPOSE_R10_TO_R12  0x1C00

	.macro site kind, last, prefix=0xF3
	.balign 4
100:	.byte \prefix, 0x0F, 0x01, \last
	.pushsection .sites, "a"
	.balign 4
	.long 100b - IMAGE_BASE, \kind
	.popsection
	.endm

	.macro pvalidate
	site 1, 0xFF, 0xF2
	.endm
	.macro rmpadjust
	site 2, 0xFE
	.endm
	.macro vmgexit
	site 3, 0xD9
	.endm
	.macro fold
	site 4, 0xFE
	.endm
	.macro tdcall
	site 5, 0xCC, 0x66
	.endm
	.macro tdx_fold
	site 6, 0xCC, 0x66
	.endm

#endif
