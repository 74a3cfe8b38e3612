#include "firmware/startinfo.h"

#include <string.h>

#define MAGIC    0x336EC578u /* "xEn3" with its highest bit clear */
#define MODULES  0x040u
#define MEMMAP   0x080u
#define MEMMAP_ENTRY 24u

static uint8_t *put(uint8_t *p, uint64_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		p[i] = (uint8_t)(v >> (8 * i));
	return p + bytes;
}

static uint32_t put_memory_map(uint8_t *page, const struct fw_boot_block *b)
{
	struct fw_memory_area area;
	uint8_t *p = page + MEMMAP;
	uint32_t n = 0;

	for (; fw_memory_area(b, n, &area); n++) {
		p = put(p, area.base, 8);
		p = put(p, area.size, 8);
		p = put(p, area.type, 4);
		p = put(p, 0, 4);
	}
	return n;
}

/* Flat code and data, and the 32-bit TSS of limit 0x67 that the PVH entry promises. */
static void put_tables(uint8_t *page, uint32_t entry)
{
	put(page + PVH_ENTRY, entry, 4);
	put(page + PVH_GDT_POINTER, 4 * 8 - 1, 2);
	put(page + PVH_GDT_POINTER + 2, FW_ZERO_PAGE + PVH_GDT, 8);
	put(page + PVH_GDT + PVH_SEL_CODE, 0x00CF9B000000FFFF, 8);
	put(page + PVH_GDT + PVH_SEL_DATA, 0x00CF93000000FFFF, 8);
	put(page + PVH_GDT + PVH_SEL_TSS, 0x0000890000000067, 8);
}

void fw_start_info_build(uint8_t *page, const struct fw_kernel *k, const struct fw_boot_block *b,
			 const struct fw_initrd_place *initrd)
{
	const bool has_initrd = initrd->size != 0;
	uint8_t *p = page;
	uint32_t count;

	memset(page, 0, FW_PAGE);
	count = put_memory_map(page, b);
	p = put(p, MAGIC, 4);
	p = put(p, 1, 4); /* version */
	p = put(p, 0, 4); /* flags */
	p = put(p, has_initrd, 4);
	p = put(p, has_initrd ? FW_ZERO_PAGE + MODULES : 0, 8);
	p = put(p, FW_CMDLINE, 8);
	p = put(p, FW_ACPI, 8); /* RSDP */
	p = put(p, FW_ZERO_PAGE + MEMMAP, 8);
	put(p, count, 4);
	p = put(page + MODULES, initrd->base, 8);
	put(p, initrd->size, 8); /* no command line of its own */
	put_tables(page, (uint32_t)k->entry);
}
