#include "firmware/elfkernel.h"

#include "common/checked.h"

#include <stddef.h>
#include <string.h>

/* gABI, "ELF Header". Own names: this is read byte by byte, whatever its alignment. */
#define E_TYPE       16u
#define E_MACHINE    18u
#define E_VERSION    20u
#define E_ENTRY      24u
#define E_PHOFF      32u
#define E_EHSIZE     52u
#define E_PHENTSIZE  54u
#define E_PHNUM      56u
#define HEADER_SIZE  64u
#define TYPE_EXEC    2u
#define MACHINE_X86_64 62u

/* "Program Header" */
#define P_TYPE       0u
#define P_OFFSET     8u
#define P_PADDR      24u
#define P_FILESZ     32u
#define P_MEMSZ      40u
#define P_ALIGN      48u
#define PHEADER_SIZE 56u
#define PHEADERS_MAX 64u
#define TYPE_LOAD    1u
#define TYPE_DYNAMIC 2u
#define TYPE_INTERP  3u
#define TYPE_NOTE    4u

#define NOTE_HEADER  12u
#define NOTE_PHYS32_ENTRY 18u /* of owner "Xen": the 32-bit entry, 4 or 8 bytes */

#define LINUX_CMDLINE_MAX 2047u /* arch/x86's COMMAND_LINE_SIZE, less the NUL */

struct notes {
	bool is_linux, has_pvh;
	uint64_t pvh_entry;
};

/* The caller has checked that the bytes are there. */
static uint64_t field(const uint8_t *p, unsigned bytes)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < bytes; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

bool fw_elf_is(const uint8_t *file, uint64_t size)
{
	return size >= 4 && memcmp(file, "\177ELF", 4) == 0;
}

/* 64 bits, little endian, version 1; an executable at fixed addresses. */
static bool header_ok(const uint8_t *file, uint64_t size)
{
	return size >= HEADER_SIZE && memcmp(file + 4, "\2\1\1", 3) == 0 &&
	       field(file + E_TYPE, 2) == TYPE_EXEC && field(file + E_MACHINE, 2) == MACHINE_X86_64 &&
	       field(file + E_VERSION, 4) == 1 && field(file + E_EHSIZE, 2) == HEADER_SIZE &&
	       field(file + E_PHENTSIZE, 2) == PHEADER_SIZE && field(file + E_PHNUM, 2) >= 1 &&
	       field(file + E_PHNUM, 2) <= PHEADERS_MAX &&
	       ck_range(field(file + E_PHOFF, 8), field(file + E_PHNUM, 2) * PHEADER_SIZE, size);
}

static enum fw_stop add_segment(const uint8_t *ph, uint64_t size, struct fw_kernel *k)
{
	const struct fw_kernel_part p = { field(ph + P_OFFSET, 8), field(ph + P_FILESZ, 8),
					  field(ph + P_PADDR, 8), field(ph + P_MEMSZ, 8) };

	if (p.room == 0 && p.size == 0)
		return STOP_HANDED_OVER;
	if (k->part_count == FW_KERNEL_PARTS || p.size > p.room || !ck_range(p.offset, p.size, size) ||
	    p.address < FW_RESERVED_END || !ck_range(p.address, p.room, FW_STAGING))
		return STOP_KERNEL_SEGMENT;
	for (uint32_t i = 0; i < k->part_count; i++)
		if (ck_overlap(p.address, p.room, k->part[i].address, k->part[i].room))
			return STOP_KERNEL_SEGMENT;
	k->part[k->part_count++] = p;
	return STOP_HANDED_OVER;
}

/* One note of a segment with `left` bytes at p. Its length, 0 when it is malformed. */
static uint64_t read_note(const uint8_t *p, uint64_t left, uint64_t align, struct notes *n)
{
	uint64_t name_size, size, desc, end;

	if (left < NOTE_HEADER)
		return 0;
	name_size = field(p, 4);
	size = field(p + 4, 4);
	/* Two 32-bit sizes: no sum overflows. The padding behind the last note may be missing. */
	desc = (NOTE_HEADER + name_size + align - 1) & ~(align - 1);
	if (!ck_range(desc, size, left))
		return 0;
	if (name_size == sizeof("Linux") && memcmp(p + NOTE_HEADER, "Linux", name_size) == 0)
		n->is_linux = true;
	if (name_size == sizeof("Xen") && memcmp(p + NOTE_HEADER, "Xen", name_size) == 0 &&
	    field(p + 8, 4) == NOTE_PHYS32_ENTRY) {
		if (n->has_pvh || (size != 4 && size != 8))
			return 0;
		n->has_pvh = true;
		n->pvh_entry = field(p + desc, (unsigned)size);
	}
	end = (desc + size + align - 1) & ~(align - 1);
	return end < left ? end : left;
}

static enum fw_stop read_notes(const uint8_t *file, uint64_t size, const uint8_t *ph,
			       struct notes *n)
{
	uint64_t offset = field(ph + P_OFFSET, 8), left = field(ph + P_FILESZ, 8);
	uint64_t align = field(ph + P_ALIGN, 8) == 8 ? 8 : 4;

	if (!ck_range(offset, left, size))
		return STOP_KERNEL_SEGMENT;
	while (left > 0) {
		uint64_t length = read_note(file + offset, left, align, n);

		if (length == 0)
			return STOP_KERNEL_ENTRY;
		offset += length;
		left -= length;
	}
	return STOP_HANDED_OVER;
}

static enum fw_stop read_segment(const uint8_t *file, uint64_t size, const uint8_t *ph,
				 struct fw_kernel *k, struct notes *n)
{
	switch (field(ph + P_TYPE, 4)) {
	case TYPE_LOAD:
		return add_segment(ph, size, k);
	case TYPE_NOTE:
		return read_notes(file, size, ph, n);
	case TYPE_DYNAMIC:
	case TYPE_INTERP:
		return STOP_KERNEL_ELF; /* nobody here would relocate or interpret it */
	default:
		return STOP_HANDED_OVER;
	}
}

/* The entry's first byte comes from the file: zeros are no code. */
static bool entry_ok(const struct fw_kernel *k)
{
	for (uint32_t i = 0; i < k->part_count; i++)
		if (k->entry >= k->part[i].address &&
		    k->entry - k->part[i].address < k->part[i].size)
			return true;
	return false;
}

enum fw_stop fw_elf_parse(const uint8_t *file, uint64_t size, struct fw_kernel *out)
{
	struct notes n = { 0 };
	struct fw_kernel k;
	const uint8_t *ph;
	uint64_t count;

	if (!header_ok(file, size))
		return STOP_KERNEL_ELF;
	memset(&k, 0, sizeof(k));
	count = field(file + E_PHNUM, 2);
	ph = file + field(file + E_PHOFF, 8);
	for (uint64_t i = 0; i < count; i++, ph += PHEADER_SIZE) {
		enum fw_stop stop = read_segment(file, size, ph, &k, &n);

		if (stop != STOP_HANDED_OVER)
			return stop;
	}
	k.kind = n.has_pvh && !n.is_linux ? FW_ENTRY_PVH : FW_ENTRY_LINUX;
	k.entry = k.kind == FW_ENTRY_PVH ? n.pvh_entry : field(file + E_ENTRY, 8);
	k.initrd_addr_max = UINT32_MAX;
	k.cmdline_size = k.kind == FW_ENTRY_PVH ? FW_CMDLINE_MAX - 1 : LINUX_CMDLINE_MAX;
	if (!entry_ok(&k))
		return STOP_KERNEL_ENTRY;
	*out = k;
	return STOP_HANDED_OVER;
}
