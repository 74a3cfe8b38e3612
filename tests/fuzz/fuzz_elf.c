/* ELF kernels: whatever is accepted holds every rule. The input is a kernel file; when it begins with
 * 'P', the rest is patches (offset, value: 16 and 8 bits) to a sound one. */
#include "firmware/elfkernel.h"
#include "firmware/startinfo.h"
#include "tests/unit/fw_fixtures.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(condition) \
	do { \
		if (!(condition)) \
			abort(); \
	} while (0)

static void check_parts(size_t size, const struct fw_kernel *k)
{
	bool entry = false;

	REQUIRE(k->part_count >= 1 && k->part_count <= FW_KERNEL_PARTS);
	for (uint32_t i = 0; i < k->part_count; i++) {
		const struct fw_kernel_part *p = &k->part[i];

		REQUIRE(p->offset <= size && p->size <= size - p->offset && p->size <= p->room);
		REQUIRE(p->address >= FW_RESERVED_END && p->address <= FW_STAGING);
		REQUIRE(p->room <= FW_STAGING - p->address && p->room > 0);
		entry |= k->entry >= p->address && k->entry < p->address + p->size;
		for (uint32_t j = 0; j < i; j++)
			REQUIRE(p->address + p->room <= k->part[j].address ||
				k->part[j].address + k->part[j].room <= p->address);
	}
	REQUIRE(entry);
}

static void check_accepted(const uint8_t *file, size_t size, const struct fw_kernel *k)
{
	struct fw_initrd_place none = { 0, 0 };
	struct fw_kernel snp;
	uint8_t page[FW_PAGE];
	struct fw_boot_block b;
	bool pvh = k->kind == FW_ENTRY_PVH;

	REQUIRE(memcmp(file, "\177ELF\2\1\1", 7) == 0 && file[16] == 2 && file[18] == 62);
	check_parts(size, k);
	REQUIRE(pvh || k->kind == FW_ENTRY_LINUX);
	REQUIRE(fw_kernel_parse(file, size, FW_VARIANT_SNP, &snp) ==
		(pvh ? STOP_KERNEL_PVH : STOP_HANDED_OVER));
	fixture_boot_block(&b);
	if (pvh)
		fw_start_info_build(page, k, &b, &none);
	else
		fw_zero_page_build(page, file, k, &b, &none);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t sound[FIXTURE_ELF_SIZE];
	const uint8_t *file = data;
	size_t file_size = size;
	struct fw_kernel k;

	if (size > 0 && data[0] == 'P') {
		fixture_elf(sound);
		for (size_t i = 1; i + 3 <= size; i += 3)
			sound[(data[i] | data[i + 1] << 8) % sizeof(sound)] = data[i + 2];
		file = sound;
		file_size = sizeof(sound);
	}
	if (fw_elf_is(file, file_size) &&
	    fw_kernel_parse(file, file_size, FW_VARIANT_PLAIN, &k) == STOP_HANDED_OVER)
		check_accepted(file, file_size, &k);
	return 0;
}
