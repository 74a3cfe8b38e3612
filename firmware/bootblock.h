/* The rules of the boot block (the host's choices), checked on a private copy. */
#ifndef PAVISE_FIRMWARE_BOOTBLOCK_H
#define PAVISE_FIRMWARE_BOOTBLOCK_H

#include "firmware/layout.h"
#include "firmware/stop.h"

#include <stdint.h>

/* What the hash record (measured) demands of the boot block. */
struct fw_limits {
	uint64_t min_ram;      /* bytes, counted as fw_boot_block_ram does */
	uint32_t max_cpus;
	uint32_t require_tpm;
};

/* RAM ends at or below this number of address bits whatever the processor has (4-level paging,
 * kernel half of the address space). */
#define FW_PHYS_BITS_MAX 46u

/* Checks every rule of docs/architecture.md "boot block". phys_bits: the processor's MAXPHYADDR,
 * 32..52. STOP_HANDED_OVER (0) when all hold, else the stop code of the first broken rule. */
enum fw_stop fw_boot_block_check(const struct fw_boot_block *b, const struct fw_limits *limits,
				 unsigned phys_bits);

/* Bytes of RAM as an operator counts them: the ranges and the legacy hole below 1 MiB, so that a
 * VM of 512 MiB has 512 MiB. Only for a block whose ranges passed the check. */
uint64_t fw_boot_block_ram(const struct fw_boot_block *b);

#endif
