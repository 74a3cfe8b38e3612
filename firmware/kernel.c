#include "firmware/kernel.h"

#include "firmware/bzimage.h"
#include "firmware/elfkernel.h"

static enum fw_stop parse_bzimage(const uint8_t *file, uint64_t size, struct fw_kernel *out)
{
	struct fw_bzimage k;
	enum fw_stop stop = fw_bzimage_parse(file, size, &k);

	if (stop != STOP_HANDED_OVER)
		return stop;
	*out = (struct fw_kernel){
		.kind = FW_ENTRY_LINUX,
		.part_count = 1,
		.part[0] = { k.setup_size, k.load_size, k.pref_address, k.init_size },
		.entry = k.pref_address + BZ_ENTRY_64,
		.header_end = k.header_end,
		.initrd_addr_max = k.initrd_addr_max,
		.cmdline_size = k.cmdline_size,
	};
	return STOP_HANDED_OVER;
}

enum fw_stop fw_kernel_parse(const uint8_t *file, uint64_t size, uint32_t variant,
			     struct fw_kernel *out)
{
	enum fw_stop stop;

	if (!fw_elf_is(file, size))
		return parse_bzimage(file, size, out);
	stop = fw_elf_parse(file, size, out);
	/* A PVH entry begins without page tables, so it has no C-bit: all it reads would be shared
	 * memory, the host's. */
	if (stop == STOP_HANDED_OVER && out->kind == FW_ENTRY_PVH && variant == FW_VARIANT_SNP)
		return STOP_KERNEL_PVH;
	return stop;
}

enum fw_stop fw_cmdline_check(const uint8_t *text, uint64_t size, uint32_t cmdline_size)
{
	if (size < 1 || size - 1 > cmdline_size || text[size - 1] != 0)
		return STOP_CMDLINE_FORM;
	for (uint64_t i = 0; i < size - 1; i++)
		if (text[i] == 0)
			return STOP_CMDLINE_FORM;
	return STOP_HANDED_OVER;
}
