/* What the firmware can start: a bzImage, a Linux vmlinux by its 64-bit entry, and any other ELF
 * file by its PVH entry. Which one it is says the file itself, which is measured. */
#ifndef PAVISE_FIRMWARE_KERNEL_H
#define PAVISE_FIRMWARE_KERNEL_H

#include "firmware/layout.h"
#include "firmware/stop.h"

#include <stdint.h>

#define FW_KERNEL_PARTS 16u

enum fw_kernel_entry {
	FW_ENTRY_LINUX, /* 64-bit mode, RSI = boot_params (boot.rst, "64-bit boot protocol") */
	FW_ENTRY_PVH,   /* 32 bits, no paging, EBX = hvm_start_info (Xen's misc/pvh.pandoc) */
};

/* size bytes at `offset` of the file go to the guest-physical `address`; zeros up to room bytes. */
struct fw_kernel_part {
	uint64_t offset, size, address, room;
};

struct fw_kernel {
	uint32_t kind;            /* enum fw_kernel_entry */
	uint32_t part_count;
	struct fw_kernel_part part[FW_KERNEL_PARTS];
	uint64_t entry;           /* guest-physical */
	uint32_t header_end;      /* bzImage: file offset behind the setup header; ELF: 0 */
	uint32_t initrd_addr_max; /* highest address of an initrd byte */
	uint32_t cmdline_size;    /* longest command line, without its NUL */
};

/* Parses size bytes at file for an image of this variant. STOP_HANDED_OVER (0): every part lies in
 * the file and in [FW_RESERVED_END, FW_STAGING), none overlaps another, and the entry is a byte of
 * one. Else a 5x stop; *out is only filled on success. */
enum fw_stop fw_kernel_parse(const uint8_t *file, uint64_t size, uint32_t variant,
			     struct fw_kernel *out);

/* size bytes at text: the final NUL there, none before, and no longer than the kernel takes. */
enum fw_stop fw_cmdline_check(const uint8_t *text, uint64_t size, uint32_t cmdline_size);

#endif
