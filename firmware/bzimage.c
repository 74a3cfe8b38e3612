#include "firmware/bzimage.h"

#include "common/checked.h"
#include "firmware/layout.h"

#include <string.h>

#define PROTOCOL_MIN   0x020Cu /* 2.12: xloadflags */
#define LOADED_HIGH    0x01u
#define XLF_KERNEL_64  0x01u
#define XLF_CAN_BE_LOADED_ABOVE_4G 0x02u
#define SECTOR         512u

/* Offsets are constants below BZ_HEADER_MIN, which the caller has checked against the size. */
static uint64_t field(const uint8_t *file, unsigned offset, unsigned bytes)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < bytes; i++)
		v |= (uint64_t)file[offset + i] << (8 * i);
	return v;
}

static enum fw_stop check_kind(const uint8_t *file, uint64_t size)
{
	if (size < BZ_HEADER_MIN || field(file, BZ_BOOT_FLAG, 2) != 0xAA55 ||
	    memcmp(file + BZ_MAGIC, "HdrS", 4) != 0)
		return STOP_KERNEL_MAGIC;
	if (field(file, BZ_VERSION, 2) < PROTOCOL_MIN ||
	    (field(file, BZ_LOADFLAGS, 1) & LOADED_HIGH) == 0 ||
	    (field(file, BZ_XLOADFLAGS, 2) & XLF_KERNEL_64) == 0)
		return STOP_KERNEL_PROTOCOL;
	return STOP_HANDED_OVER;
}

/* The header's end is one byte in the file; a header without init_size cannot be of our
 * protocol, one longer than boot_params' room is cut (boot.rst, "64-bit boot protocol"). */
static bool read_header_end(const uint8_t *file, struct fw_bzimage *k)
{
	uint32_t end = BZ_MAGIC + file[BZ_JUMP_LENGTH];

	k->header_end = end < BZ_HEADER_MAX ? end : BZ_HEADER_MAX;
	return k->header_end >= BZ_HEADER_MIN;
}

static bool read_sizes(const uint8_t *file, uint64_t size, struct fw_bzimage *k)
{
	uint64_t sectors = file[BZ_SETUP_SECTS], payload, payload_size;

	if (sectors == 0)
		sectors = 4; /* boot.rst, setup_sects */
	k->setup_size = (sectors + 1) * SECTOR;
	/* The entry point must exist, so the file goes on behind it. */
	if (!ck_range(k->setup_size, BZ_ENTRY_64 + 1, size))
		return false;
	k->load_size = size - k->setup_size;
	payload = field(file, BZ_PAYLOAD_OFFSET, 4);
	payload_size = field(file, BZ_PAYLOAD_LENGTH, 4);
	return k->header_end <= k->setup_size && ck_range(payload, payload_size, k->load_size);
}

static bool read_place(const uint8_t *file, struct fw_bzimage *k)
{
	uint64_t end;

	k->pref_address = field(file, BZ_PREF_ADDRESS, 8);
	k->init_size = (uint32_t)field(file, BZ_INIT_SIZE, 4);
	return k->pref_address % FW_RAM_ALIGN == 0 && k->pref_address >= FW_RESERVED_END &&
	       ck_add_u64(k->pref_address, k->init_size, &end) && end <= FW_STAGING &&
	       k->init_size >= k->load_size;
}

enum fw_stop fw_bzimage_parse(const uint8_t *file, uint64_t size, struct fw_bzimage *out)
{
	struct fw_bzimage k = { 0 };
	enum fw_stop stop = check_kind(file, size);

	if (stop != STOP_HANDED_OVER)
		return stop;
	if (!read_header_end(file, &k) || !read_sizes(file, size, &k) || !read_place(file, &k))
		return STOP_KERNEL_BOUNDS;
	k.initrd_addr_max = (uint32_t)field(file, BZ_INITRD_ADDR_MAX, 4);
	if ((field(file, BZ_XLOADFLAGS, 2) & XLF_CAN_BE_LOADED_ABOVE_4G) != 0)
		k.initrd_addr_max = UINT32_MAX;
	k.cmdline_size = (uint32_t)field(file, BZ_CMDLINE_SIZE, 4);
	*out = k;
	return STOP_HANDED_OVER;
}
