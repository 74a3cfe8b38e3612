/* The hash page (firmware/layout.h): QEMU's table of SHA-256 hashes, then our record. */
#ifndef PAVISE_ATTEST_MEASURE_HASH_PAGE_H
#define PAVISE_ATTEST_MEASURE_HASH_PAGE_H

#include "common/err.h"
#include "firmware/layout.h"

#include <stddef.h>
#include <stdint.h>

struct hash_page_input {
	enum fw_variant variant;
	const uint8_t *kernel;
	size_t kernel_size;    /* bytes */
	const uint8_t *initrd; /* NULL: none */
	size_t initrd_size;    /* bytes; 0: none */
	const char *cmdline;   /* hashed with its NUL */
	uint64_t min_ram;      /* bytes */
	uint32_t max_cpus;
	int require_tpm;
};

/* Fills the whole page. -EX_INTERNAL when libcrypto fails. */
int hash_page_fill(const struct hash_page_input *in, uint8_t out[FW_PAGE], struct err *e);

/* The record of a page, copied out; no check but of its size. */
void hash_page_record(const uint8_t page[FW_PAGE], struct fw_hash_record *out);

#endif
