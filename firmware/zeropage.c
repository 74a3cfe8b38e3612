#include "firmware/zeropage.h"

#include "firmware/bzimage.h"

#include <string.h>

#define ZP_ACPI_RSDP     0x070u
#define ZP_EXT_RAMDISK_IMAGE 0x0C0u
#define ZP_EXT_RAMDISK_SIZE  0x0C4u
#define ZP_EXT_CMD_LINE_PTR  0x0C8u
#define ZP_E820_ENTRIES  0x1E8u
#define ZP_E820_TABLE    0x2D0u
#define E820_ENTRY_SIZE  20u

#define E820_RAM      1u
#define E820_RESERVED 2u
#define E820_ACPI     3u
#define E820_NVS      4u  /* kept by Linux: the event log must survive its memory allocator */

#define LOADER_UNDEFINED 0xFFu
#define LOADED_HIGH      0x01u

int fw_initrd_place(const struct fw_boot_block *b, uint32_t initrd_addr_max, uint64_t floor,
		    uint64_t size, struct fw_initrd_place *out)
{
	uint64_t end = b->ram[1].base + b->ram[1].size, base;

	if (end > (uint64_t)initrd_addr_max + 1)
		end = (uint64_t)initrd_addr_max + 1;
	if (size > end)
		return -1;
	base = (end - size) & ~(uint64_t)(FW_PAGE - 1);
	if (base < floor)
		return -1;
	out->base = size == 0 ? 0 : base;
	out->size = size;
	return 0;
}

static void store(uint8_t *p, uint64_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

/* Everything from FW_IMAGE to FW_RESERVED_END is ours: page tables and GDT of the hand-over,
 * zero page and command line are read by Linux after it runs, so none of it becomes RAM. */
bool fw_memory_area(const struct fw_boot_block *b, uint32_t index, struct fw_memory_area *out)
{
	const uint64_t log_end = FW_EVENT_LOG + FW_EVENT_LOG_SIZE;
	const uint64_t cc_log_end = FW_CC_LOG + FW_CC_LOG_SIZE;
	const struct fw_memory_area own[] = {
		{ 0, FW_LOW_RAM_END, E820_RAM },
		{ FW_IMAGE, FW_ACPI - FW_IMAGE, E820_RESERVED },
		{ FW_ACPI, FW_ACPI_SIZE, E820_ACPI },
		{ FW_EVENT_LOG, FW_EVENT_LOG_SIZE, E820_NVS },
		{ log_end, FW_CC_LOG - log_end, E820_RESERVED },
		{ FW_CC_LOG, FW_CC_LOG_SIZE, E820_NVS },
		{ cc_log_end, FW_RESERVED_END - cc_log_end, E820_RESERVED },
		{ FW_RESERVED_END, b->ram[1].base + b->ram[1].size - FW_RESERVED_END, E820_RAM },
	};
	const uint32_t own_count = sizeof(own) / sizeof(own[0]);
	/* ram[0] and ram[1] are above; ram[2] and on follow. */
	const uint32_t range = index - own_count + 2;

	if (index < own_count) {
		*out = own[index];
		return true;
	}
	if (range >= b->ram_count || range >= FW_BOOT_RAM_MAX)
		return false;
	*out = (struct fw_memory_area){ b->ram[range].base, b->ram[range].size, E820_RAM };
	return true;
}

/* At most 8 areas of ours and 14 ranges: 128 fit. */
static void build_e820(uint8_t *page, const struct fw_boot_block *b)
{
	struct fw_memory_area area;
	uint8_t *entry = page + ZP_E820_TABLE;

	for (; fw_memory_area(b, page[ZP_E820_ENTRIES], &area); entry += E820_ENTRY_SIZE) {
		store(entry, area.base, 8);
		store(entry + 8, area.size, 8);
		store(entry + 16, area.type, 4);
		page[ZP_E820_ENTRIES]++;
	}
}

/* What Linux reads of a setup header when it is entered as a vmlinux. */
static void make_header(uint8_t *page, const struct fw_kernel *k)
{
	store(page + BZ_BOOT_FLAG, 0xAA55, 2);
	memcpy(page + BZ_MAGIC, "HdrS", 4);
	store(page + BZ_VERSION, 0x20F, 2);
	store(page + BZ_CMDLINE_SIZE, k->cmdline_size, 4);
}

void fw_zero_page_build(uint8_t *page, const uint8_t *file, const struct fw_kernel *k,
			const struct fw_boot_block *b, const struct fw_initrd_place *initrd)
{
	memset(page, 0, FW_PAGE);
	if (k->header_end != 0)
		memcpy(page + BZ_SETUP_SECTS, file + BZ_SETUP_SECTS,
		       k->header_end - BZ_SETUP_SECTS);
	else
		make_header(page, k);
	/* Pointers come from us alone, whatever the file holds there. */
	store(page + BZ_SETUP_DATA, 0, 8);
	page[BZ_TYPE_OF_LOADER] = LOADER_UNDEFINED;
	page[BZ_LOADFLAGS] |= LOADED_HIGH;
	store(page + BZ_CMD_LINE_PTR, FW_CMDLINE, 4);
	store(page + ZP_EXT_CMD_LINE_PTR, 0, 4);
	store(page + BZ_RAMDISK_IMAGE, initrd->base, 4);
	store(page + BZ_RAMDISK_SIZE, initrd->size, 4);
	store(page + ZP_EXT_RAMDISK_IMAGE, initrd->base >> 32, 4);
	store(page + ZP_EXT_RAMDISK_SIZE, initrd->size >> 32, 4);
	store(page + ZP_ACPI_RSDP, FW_ACPI, 8);
	build_e820(page, b);
}
