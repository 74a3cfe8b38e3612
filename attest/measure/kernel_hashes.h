/* QEMU's table of the hashes of kernel, initrd and command line (target/i386/sev.c): what OVMF and
 * our own firmware compare with what they are given. */
#ifndef PAVISE_ATTEST_MEASURE_KERNEL_HASHES_H
#define PAVISE_ATTEST_MEASURE_KERNEL_HASHES_H

#include "common/err.h"
#include "firmware/layout.h"

#include <stddef.h>
#include <stdint.h>

/* Fills the table with its padding. initrd: NULL, with size 0, when there is none (the hash of
 * nothing stands for it); cmdline is hashed with its NUL. -EX_INTERNAL when libcrypto fails. */
int kernel_hashes_fill(const uint8_t *kernel, size_t kernel_size, const uint8_t *initrd,
		       size_t initrd_size, const char *cmdline, uint8_t out[FW_HASH_TABLE_SIZE],
		       struct err *e);

#endif
