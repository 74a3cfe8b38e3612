#include "attest/measure/image.h"

#include "attest/measure/sites.h"
#include "common/bytes.h"
#include "common/checked.h"
#include "common/stop_text.h"
#include "firmware/elfkernel.h"

#include <string.h>

static void read_header(const uint8_t *data, size_t size, struct fw_image_header *h)
{
	struct reader r = reader_over(data, size);

	read_copy(&r, h->magic, sizeof(h->magic));
	h->variant = read_le32(&r);
	h->svn = read_le32(&r);
	h->image_size = read_le32(&r);
	h->entry = read_le32(&r);
	h->page_table = read_le32(&r);
	h->stack_top = read_le32(&r);
	h->version_offset = read_le32(&r);
	h->version_size = read_le32(&r);
	h->note_offset = read_le32(&r);
	h->note_size = read_le32(&r);
	h->ap_entry = read_le32(&r);
	h->sites_offset = read_le32(&r);
	h->sites_count = read_le32(&r);
	read_copy(&r, h->reserved, sizeof(h->reserved));
}

static int bad(const char *object, const char *what, uint32_t value, struct err *e)
{
	return err_set(e, EX_MALFORMED,
		       "firmware %s: %s is 0x%x, out of bounds: use a firmware image of pavise",
		       object, what, value);
}

static int check_offsets(const char *object, const struct fw_image_header *h, struct err *e)
{
	if (h->entry < sizeof(*h) || h->entry >= h->image_size)
		return bad(object, "entry point", h->entry, e);
	if (h->page_table % FW_PAGE != 0 || !ck_range(h->page_table, FW_PAGE, h->image_size))
		return bad(object, "page table offset", h->page_table, e);
	if (h->stack_top == 0 || h->stack_top > FW_SCRATCH_SIZE || h->stack_top % 16 != 0)
		return bad(object, "stack top", h->stack_top, e);
	if (h->version_size < 4 || h->version_size % 2 != 0)
		return bad(object, "version size", h->version_size, e);
	if (h->version_offset < sizeof(*h) ||
	    !ck_range(h->version_offset, h->version_size, h->image_size))
		return bad(object, "version offset", h->version_offset, e);
	if (!ck_range(h->note_offset, h->note_size, h->image_size))
		return bad(object, "note offset", h->note_offset, e);
	return 0;
}

/* All processors of a confidential guest but the first wait in the image. */
static int check_confidential(const char *object, const uint8_t *data, const struct fw_image_header *h,
		     struct err *e)
{
	if (h->ap_entry < sizeof(*h) || h->ap_entry >= h->image_size)
		return bad(object, "entry point of further processors", h->ap_entry, e);
	return firmware_sites_check(object, data, h, e);
}

int firmware_image_check(const char *object, const uint8_t *data, size_t size,
			 enum fw_variant variant, struct fw_image_header *out, struct err *e)
{
	static const uint8_t zero[sizeof(out->reserved)];
	struct fw_image_header h;

	if (size < sizeof(h))
		return err_set(e, EX_MALFORMED,
			       "firmware %s: %zu bytes, shorter than its header: truncated?",
			       object, size);
	read_header(data, size, &h);
	if (memcmp(h.magic, FW_IMAGE_MAGIC, sizeof(h.magic)) != 0)
		return err_set(e, EX_MALFORMED,
			       "firmware %s: no pavise firmware (magic at offset 0 is not %s)",
			       object, FW_IMAGE_MAGIC);
	if (h.variant != (uint32_t)variant)
		return err_set(e, EX_MALFORMED,
			       "firmware %s: built for machine variant %u, this needs %u: take the "
			       "image of that variant",
			       object, h.variant, (unsigned)variant);
	if (h.image_size != size)
		return err_set(e, EX_MALFORMED,
			       "firmware %s: its header says %u bytes, the file has %zu: truncated "
			       "or extended",
			       object, h.image_size, size);
	if (size > FW_IMAGE_MAX || size % FW_PAGE != 0)
		return err_set(e, EX_MALFORMED,
			       "firmware %s: %zu bytes: must be a multiple of %u, at most %u",
			       object, size, FW_PAGE, FW_IMAGE_MAX);
	if (memcmp(h.reserved, zero, sizeof(zero)) != 0 ||
	    (variant == FW_VARIANT_PLAIN &&
	     (h.ap_entry != 0 || h.sites_offset != 0 || h.sites_count != 0)))
		return err_set(e, EX_MALFORMED,
			       "firmware %s: reserved bytes of its header are not zero", object);
	int r = check_offsets(object, &h, e);
	if (r == 0 && variant != FW_VARIANT_PLAIN)
		r = check_confidential(object, data, &h, e);
	if (r < 0)
		return r;
	*out = h;
	return 0;
}

/* Offsets in the file: Linux Documentation/arch/x86/boot.rst, "The real-mode kernel header". */
enum {
	SETUP_SECTS = 0x1f1,
	SYSSIZE = 0x1f4,
	BOOT_FLAG = 0x1fe,
	HEADER_JUMP = 0x201,
	HEADER_MAGIC = 0x202,
	VERSION = 0x206,
	LOADFLAGS = 0x211,
	INITRD_ADDR_MAX = 0x22c,
	XLOADFLAGS = 0x236,
	CMDLINE_SIZE = 0x238,
	PAYLOAD_OFFSET = 0x248,
	PAYLOAD_LENGTH = 0x24c,
	PREF_ADDRESS = 0x258,
	INIT_SIZE = 0x260,
	HEADER_LEAST = 0x264, /* end of init_size, the last field we need */
};

static uint64_t field(const uint8_t *data, size_t offset, size_t width)
{
	uint64_t v = 0;

	for (size_t i = 0; i < width; i++)
		v |= (uint64_t)data[offset + i] << (8 * i);
	return v;
}

static int check_magic(const char *object, const uint8_t *data, size_t size, struct err *e)
{
	if (size < HEADER_LEAST)
		return err_set(e, EX_MALFORMED,
			       "kernel %s: %zu bytes, shorter than a bzImage header: truncated?",
			       object, size);
	if (field(data, BOOT_FLAG, 2) != 0xAA55 || memcmp(data + HEADER_MAGIC, "HdrS", 4) != 0)
		return err_set(e, EX_MALFORMED,
			       "kernel %s: no bzImage (boot flag or HdrS missing) and no ELF "
			       "file: give the vmlinuz, not an EFI application",
			       object);
	if (field(data, VERSION, 2) < 0x20c)
		return err_set(
			e, EX_MALFORMED,
			"kernel %s: boot protocol %u.%u, 2.12 is needed: take a newer kernel",
			object, data[VERSION + 1], data[VERSION]);
	if (HEADER_MAGIC + (size_t)data[HEADER_JUMP] < HEADER_LEAST)
		return err_set(e, EX_MALFORMED,
			       "kernel %s: its header ends at 0x%x, before init_size", object,
			       HEADER_MAGIC + data[HEADER_JUMP]);
	if ((data[LOADFLAGS] & 1) == 0)
		return err_set(e, EX_MALFORMED, "kernel %s: a zImage (not loaded high)", object);
	if ((field(data, XLOADFLAGS, 2) & 1) == 0)
		return err_set(e, EX_MALFORMED, "kernel %s: no 64-bit entry point: 32-bit kernel?",
			       object);
	return 0;
}

static int check_payload(const char *object, const uint8_t *data, size_t size, struct err *e)
{
	uint64_t sectors = data[SETUP_SECTS] == 0 ? 4 : data[SETUP_SECTS];
	uint64_t setup = (sectors + 1) * 512;

	if (setup >= size)
		return err_set(
			e, EX_MALFORMED,
			"kernel %s: %zu bytes, but its setup part alone has %llu: truncated?",
			object, size, (unsigned long long)setup);
	uint64_t rest = size - setup;
	/* The entry point lies 0x200 into the protected-mode part. */
	if (rest <= 0x200 || field(data, SYSSIZE, 4) * 16 > rest + 15)
		return err_set(
			e, EX_MALFORMED,
			"kernel %s: its header promises %llu bytes after the setup part, the "
			"file has %llu: truncated?",
			object, (unsigned long long)field(data, SYSSIZE, 4) * 16,
			(unsigned long long)rest);
	if (!ck_range(field(data, PAYLOAD_OFFSET, 4), field(data, PAYLOAD_LENGTH, 4), rest))
		return err_set(e, EX_MALFORMED,
			       "kernel %s: payload reaches beyond the file: "
			       "truncated?",
			       object);
	if (field(data, INIT_SIZE, 4) < rest)
		return err_set(e, EX_MALFORMED,
			       "kernel %s: init_size 0x%llx is less than its own code", object,
			       (unsigned long long)field(data, INIT_SIZE, 4));
	return 0;
}

int bzimage_check(const char *object, const uint8_t *data, size_t size, struct bzimage *out,
		  struct err *e)
{
	int r = check_magic(object, data, size, e);

	if (r == 0)
		r = check_payload(object, data, size, e);
	if (r < 0)
		return r;
	struct bzimage k = {
		.pref_address = field(data, PREF_ADDRESS, 8),
		.init_size = field(data, INIT_SIZE, 4),
		/* Flag CAN_BE_LOADED_ABOVE_4G: an initrd may lie anywhere below 4 GiB too. */
		.initrd_addr_max = (field(data, XLOADFLAGS, 2) & 2) != 0 ?
					   UINT32_MAX :
					   field(data, INITRD_ADDR_MAX, 4),
		.cmdline_size = (uint32_t)field(data, CMDLINE_SIZE, 4),
		.protocol = (uint16_t)field(data, VERSION, 2),
	};
	uint64_t end;
	/* The firmware unpacks nothing: the kernel runs at its preferred address, which must
	 * leave the firmware's pages and the staged files alone. */
	if (k.pref_address < FW_RESERVED_END || k.pref_address % FW_RAM_ALIGN != 0 ||
	    !ck_add_u64(k.pref_address, k.init_size, &end) || end > FW_STAGING)
		return err_set(
			e, EX_MALFORMED,
			"kernel %s: wants 0x%llx bytes at 0x%llx: must lie in [2 MiB, 128 MiB)",
			object, (unsigned long long)k.init_size,
			(unsigned long long)k.pref_address);
	*out = k;
	return 0;
}

int kernel_check(const char *object, const uint8_t *data, size_t size, enum fw_variant variant,
		 struct kernel_takes *out, struct err *e)
{
	struct fw_kernel elf;
	struct bzimage k = { 0 };
	enum fw_stop stop;
	int r;

	if (!fw_elf_is(data, size)) {
		r = bzimage_check(object, data, size, &k, e);
		if (r == 0)
			*out = (struct kernel_takes){ k.cmdline_size, k.initrd_addr_max };
		return r;
	}
	stop = fw_kernel_parse(data, size, variant, &elf);
	if (stop != STOP_HANDED_OVER)
		return err_set(e, EX_MALFORMED, "kernel %s: %s", object, stop_text(stop));
	*out = (struct kernel_takes){ elf.cmdline_size, elf.initrd_addr_max };
	return 0;
}
