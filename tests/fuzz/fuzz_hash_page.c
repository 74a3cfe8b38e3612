/* Hash page: accepted implies its rules, and is what the builder makes of the same values. Patches
 * (offset, value: 16 and 8 bits) to a sound page. */
#include "firmware/hashpage.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(condition) \
	do { \
		if (!(condition)) \
			abort(); \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fw_hash_record r = { .size = sizeof(r), .variant = FW_VARIANT_PLAIN,
				    .kernel_size = 5000, .cmdline_size = 1, .max_cpus = 1 };
	struct fw_hash_page page, again;
	uint8_t sha[32] = { 0 };

	memcpy(r.magic, FW_HASH_MAGIC, sizeof(r.magic));
	fw_hash_page_build(&page, &r, sha, sha, sha);
	for (size_t i = 0; i + 3 <= size; i += 3)
		((uint8_t *)&page)[(data[i] | data[i + 1] << 8) % sizeof(page)] = data[i + 2];
	if (fw_hash_page_check(&page, FW_VARIANT_PLAIN) != STOP_HANDED_OVER)
		return 0;
	REQUIRE(page.record.kernel_size >= 1 && page.record.kernel_size <= MMIO_HOLE_BASE);
	REQUIRE(page.record.initrd_size <= MMIO_HOLE_BASE);
	REQUIRE(page.record.cmdline_size >= 1 && page.record.cmdline_size <= FW_CMDLINE_MAX);
	REQUIRE(page.record.max_cpus >= 1 && page.record.max_cpus <= FW_BOOT_CPU_MAX);
	REQUIRE(page.record.require_tpm <= 1);
	/* No byte of an accepted page is free of meaning. */
	fw_hash_page_build(&again, &page.record, page.table.kernel.sha256,
			   page.table.initrd.sha256, page.table.cmdline.sha256);
	REQUIRE(memcmp(&page, &again, sizeof(page)) == 0);
	return 0;
}
