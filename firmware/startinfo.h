/* Xen's hvm_start_info (public/arch-x86/hvm/start_info.h, version 1) for kernels entered by PVH, and
 * what pvh.S needs to get there. */
#ifndef PAVISE_FIRMWARE_STARTINFO_H
#define PAVISE_FIRMWARE_STARTINFO_H

/* Offsets in the page that the kernel finds at EBX. */
#define PVH_ENTRY       0xE00 /* where to jump, 4 bytes */
#define PVH_GDT_POINTER 0xE06 /* limit, base: for LGDT in 64-bit mode */
#define PVH_GDT         0xE10
#define PVH_STACK       0x1000 /* two words below it, for a moment */
#define PVH_SEL_CODE    0x08
#define PVH_SEL_DATA    0x10
#define PVH_SEL_TSS     0x18

#ifndef __ASSEMBLER__

#include "firmware/kernel.h"
#include "firmware/zeropage.h"

/* Fills page (FW_PAGE bytes), which will be at FW_ZERO_PAGE. Command line, RSDP and memory map as
 * for fw_zero_page_build; the initrd, if any, is the one module. */
void fw_start_info_build(uint8_t *page, const struct fw_kernel *k, const struct fw_boot_block *b,
			 const struct fw_initrd_place *initrd);

#endif
#endif
