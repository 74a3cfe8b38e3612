#include "firmware/zeropage.h"

#include "common/checked.h"

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

static void add_e820(uint8_t *page, uint64_t base, uint64_t end, uint32_t type)
{
	uint8_t *entry = page + ZP_E820_TABLE + (size_t)page[ZP_E820_ENTRIES] * E820_ENTRY_SIZE;

	/* At most 8 of ours and 14 ranges: 128 fit. */
	if (end <= base)
		return;
	store(entry, base, 8);
	store(entry + 8, end - base, 8);
	store(entry + 16, type, 4);
	page[ZP_E820_ENTRIES]++;
}

/* Everything from FW_IMAGE to FW_RESERVED_END is ours: page tables and GDT of the hand-over,
 * zero page and command line are read by Linux after it runs, so none of it becomes RAM. */
static void build_e820(uint8_t *page, const struct fw_boot_block *b)
{
	add_e820(page, 0, FW_LOW_RAM_END, E820_RAM);
	add_e820(page, FW_IMAGE, FW_ACPI, E820_RESERVED);
	add_e820(page, FW_ACPI, FW_ACPI + FW_ACPI_SIZE, E820_ACPI);
	add_e820(page, FW_EVENT_LOG, FW_EVENT_LOG + FW_EVENT_LOG_SIZE, E820_NVS);
	add_e820(page, FW_EVENT_LOG + FW_EVENT_LOG_SIZE, FW_CC_LOG, E820_RESERVED);
	add_e820(page, FW_CC_LOG, FW_CC_LOG + FW_CC_LOG_SIZE, E820_NVS);
	add_e820(page, FW_CC_LOG + FW_CC_LOG_SIZE, FW_RESERVED_END, E820_RESERVED);
	add_e820(page, FW_RESERVED_END, b->ram[1].base + b->ram[1].size, E820_RAM);
	for (uint32_t i = 2; i < b->ram_count && i < FW_BOOT_RAM_MAX; i++)
		add_e820(page, b->ram[i].base, b->ram[i].base + b->ram[i].size, E820_RAM);
}

void fw_zero_page_build(uint8_t *page, const uint8_t *file, const struct fw_bzimage *k,
			const struct fw_boot_block *b, const struct fw_initrd_place *initrd)
{
	memset(page, 0, FW_PAGE);
	memcpy(page + BZ_SETUP_SECTS, file + BZ_SETUP_SECTS, k->header_end - BZ_SETUP_SECTS);
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
