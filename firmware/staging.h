/* Where the plan stages the blobs, as a pure function of their sizes: the plan's writer and the
 * firmware use this one, so no address needs to be believed. */
#ifndef PAVISE_FIRMWARE_STAGING_H
#define PAVISE_FIRMWARE_STAGING_H

#include <stdint.h>

struct fw_staging {
	uint64_t kernel, initrd, cmdline; /* guest-physical, 2 MiB aligned */
	uint64_t end;                     /* behind the staged command line, 2 MiB aligned */
};

/* Sizes in bytes, each as in struct fw_hash_record (command line with its NUL). 0, or -1 when the
 * end passes the MMIO hole's base or a sum overflows. */
int fw_staging(uint64_t kernel_size, uint64_t initrd_size, uint64_t cmdline_size,
	       struct fw_staging *out);

/* Bytes of memory, counted as an operator states it, that suffice for these blobs: staged and
 * private copies together (the minimum a plan should demand). 0 when they can never fit. */
uint64_t fw_staging_min_ram(uint64_t kernel_size, uint64_t initrd_size, uint64_t cmdline_size);

#endif
