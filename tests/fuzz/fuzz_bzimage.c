/* bzImage header: whatever is accepted must be safe to load. The input is a kernel file; when it
 * begins with 'P', the rest is patches (offset, value: 16 and 8 bits) to a sound one. */
#include "firmware/bzimage.h"
#include "firmware/layout.h"
#include "firmware/kernel.h"
#include "firmware/zeropage.h"
#include "tests/unit/fw_fixtures.h"

#include <stddef.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(condition) \
	do { \
		if (!(condition)) \
			abort(); \
	} while (0)

static void check_accepted(const uint8_t *file, size_t size, const struct fw_bzimage *k)
{
	struct fw_initrd_place none = { 0, 0 };
	uint8_t page[FW_PAGE];
	struct fw_boot_block b;
	struct fw_kernel kernel;

	REQUIRE(file[0x1FE] == 0x55 && file[0x1FF] == 0xAA && memcmp(file + 0x202, "HdrS", 4) == 0);
	REQUIRE(file[0x207] > 2 || (file[0x207] == 2 && file[0x206] >= 0x0C));
	REQUIRE((file[0x236] & 1) != 0 && (file[0x211] & 1) != 0);
	REQUIRE(k->setup_size % 512 == 0 && k->setup_size >= 1024);
	REQUIRE(k->setup_size + k->load_size == size && k->load_size > BZ_ENTRY_64);
	REQUIRE(k->pref_address % FW_RAM_ALIGN == 0 && k->pref_address >= FW_RESERVED_END);
	REQUIRE(k->pref_address <= FW_STAGING && k->init_size <= FW_STAGING - k->pref_address);
	REQUIRE(k->load_size <= k->init_size);
	REQUIRE(k->header_end <= BZ_HEADER_MAX && k->header_end <= size);
	fixture_boot_block(&b);
	REQUIRE(fw_kernel_parse(file, size, FW_VARIANT_SNP, &kernel) == STOP_HANDED_OVER);
	REQUIRE(kernel.entry == k->pref_address + BZ_ENTRY_64);
	fw_zero_page_build(page, file, &kernel, &b, &none);
	REQUIRE(page[0x1EF] == 0 && page[0x210] == 0xFF);
	for (unsigned i = 0; i < 8; i++)
		REQUIRE(page[BZ_SETUP_DATA + i] == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t sound[FIXTURE_KERNEL_SIZE];
	const uint8_t *file = data;
	size_t file_size = size;
	struct fw_bzimage k;

	if (size > 0 && data[0] == 'P') {
		fixture_kernel(sound);
		for (size_t i = 1; i + 3 <= size; i += 3)
			sound[(data[i] | data[i + 1] << 8) % sizeof(sound)] = data[i + 2];
		file = sound;
		file_size = sizeof(sound);
	}
	if (fw_bzimage_parse(file, file_size, &k) == STOP_HANDED_OVER)
		check_accepted(file, file_size, &k);
	fw_cmdline_check(data, size, (uint32_t)(size / 2));
	return 0;
}
