/* Linux's boot_params ("zero page": boot.rst, zero-page.rst) and its memory map. */
#ifndef PAVISE_FIRMWARE_ZEROPAGE_H
#define PAVISE_FIRMWARE_ZEROPAGE_H

#include "firmware/kernel.h"
#include "firmware/layout.h"

#include <stdbool.h>
#include <stdint.h>

/* Where the private initrd lies; size 0: none. */
struct fw_initrd_place {
	uint64_t base, size;
};

/* The initrd's place: page aligned, at the top of ram[1] or just below initrd_addr_max, wherever
 * lower, and at or above floor. 0, or -1 when there is no room. *b has passed its check. */
int fw_initrd_place(const struct fw_boot_block *b, uint32_t initrd_addr_max, uint64_t floor,
		    uint64_t size, struct fw_initrd_place *out);

/* Area `index` (0..) of the memory map, as in an e820 table: that of *b with our own areas reserved.
 * Sorted and disjoint. False: no such area. *b has passed its check. */
struct fw_memory_area {
	uint64_t base, size;
	uint32_t type;
};
bool fw_memory_area(const struct fw_boot_block *b, uint32_t index, struct fw_memory_area *out);

/* Fills page (FW_PAGE bytes) for the parsed kernel file *k at `file`. A vmlinux has no setup
 * header: the page gets what Linux reads of one. The command line is at FW_CMDLINE, the RSDP at
 * FW_ACPI. */
void fw_zero_page_build(uint8_t *page, const uint8_t *file, const struct fw_kernel *k,
			const struct fw_boot_block *b, const struct fw_initrd_place *initrd);

#endif
