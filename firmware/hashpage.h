/* The hash page: what the plan promises about kernel, initrd and command line. */
#ifndef PAVISE_FIRMWARE_HASHPAGE_H
#define PAVISE_FIRMWARE_HASHPAGE_H

#include "firmware/layout.h"
#include "firmware/sha2.h"
#include "firmware/stop.h"

#include <stdbool.h>
#include <stdint.h>

/* One page, as it lies at FW_HASH_PAGE. */
struct fw_hash_page {
	struct fw_hash_table table;
	uint8_t zero0[FW_HASH_RECORD_OFFSET - FW_HASH_TABLE_SIZE];
	struct fw_hash_record record;
	uint8_t zero1[FW_PAGE - FW_HASH_RECORD_OFFSET - sizeof(struct fw_hash_record)];
};
_Static_assert(sizeof(struct fw_hash_page) == FW_PAGE, "hash page");

/* GUIDs, lengths, limits, and that every other byte is zero. variant: that of the running image.
 * STOP_HANDED_OVER (0), STOP_HASH_TABLE, STOP_HASH_RECORD or STOP_VARIANT. */
enum fw_stop fw_hash_page_check(const struct fw_hash_page *page, uint32_t variant);

/* Fills *page from a record and the three SHA-256 values, so that fw_hash_page_check accepts it
 * when the record is sound. For the plan's writer and for tests. */
void fw_hash_page_build(struct fw_hash_page *page, const struct fw_hash_record *record,
			const uint8_t kernel_sha256[32], const uint8_t initrd_sha256[32],
			const uint8_t cmdline_sha256[32]);

/* Does a blob's digest equal both promises? Constant time. */
bool fw_hash_matches(const struct fw_digests *got, const struct fw_hash_entry *entry,
		     const uint8_t sha384[48]);

#endif
