#include "attest/measure/ovmf/image.h"

#include "attest/measure/ovmf/table.h"
#include "common/bytes.h"
#include "common/checked.h"
#include "firmware/layout.h"

#include <string.h>

#define PAGE 4096u
#define FOUR_GIB 0x100000000ull
#define HEADER_SIZE 16u /* of the metadata */
#define SECTION_SIZE 12u

/* As they lie in memory: the first three fields little endian. */
static const uint8_t guid_reset_block[16] = { /* 00f771de-1a7e-4fcb-890e-68c77e2fb44e */
					      0xde, 0x71, 0xf7, 0x00, 0x7e, 0x1a, 0xcb, 0x4f,
					      0x89, 0x0e, 0x68, 0xc7, 0x7e, 0x2f, 0xb4, 0x4e
};
static const uint8_t guid_hash_area[16] = { /* 7255371f-3a3b-4b04-927b-1da6efa8d454 */
					    0x1f, 0x37, 0x55, 0x72, 0x3b, 0x3a, 0x04, 0x4b,
					    0x92, 0x7b, 0x1d, 0xa6, 0xef, 0xa8, 0xd4, 0x54
};
static const uint8_t guid_metadata[16] = { /* dc886566-984a-4798-a75e-5585a7bf67cc */
					   0x66, 0x65, 0x88, 0xdc, 0x4a, 0x98, 0x98, 0x47,
					   0xa7, 0x5e, 0x55, 0x85, 0xa7, 0xbf, 0x67, 0xcc
};

const char *ovmf_section_name(uint32_t type)
{
	switch (type) {
	case OVMF_SEC_MEM:
		return "SEC_MEM";
	case OVMF_SECRETS:
		return "SECRETS";
	case OVMF_CPUID:
		return "CPUID";
	case OVMF_SVSM_CAA:
		return "SVSM_CAA";
	case OVMF_KERNEL_HASHES:
		return "KERNEL_HASHES";
	default:
		return NULL;
	}
}

/* An entry of the table with `words` 32-bit values at its start; required or left at zero. */
static int read_words(const char *object, const struct ovmf_table *t, const uint8_t guid[16],
		      const char *what, int required, uint32_t *out, size_t words, struct err *e)
{
	size_t size = 0;
	const uint8_t *data = ovmf_table_find(t, guid, &size);
	struct reader r = reader_over(data, size);

	if (data == NULL && !required)
		return 0;
	if (data == NULL)
		return err_set(e, EX_MALFORMED,
			       "firmware %s: its GUIDed table has no %s: not built for SEV-SNP?",
			       object, what);
	for (size_t i = 0; i < words; i++)
		out[i] = read_le32(&r);
	if (r.bad)
		return err_set(e, EX_MALFORMED, "firmware %s: %s of %zu bytes, %zu are needed",
			       object, what, size, 4 * words);
	return 0;
}

static int check_section(const char *object, const struct ovmf_image *image, size_t i,
			 struct err *e)
{
	const struct ovmf_section *s = &image->section[i];
	uint64_t end = (uint64_t)s->base + s->size;

	if (ovmf_section_name(s->type) == NULL)
		return err_set(e, EX_MALFORMED,
			       "firmware %s: section %zu is of type 0x%x, which is unknown: its "
			       "launch cannot be predicted",
			       object, i, (unsigned)s->type);
	if (s->size == 0 || s->size % PAGE != 0 || s->base % PAGE != 0 || end > image->base)
		return err_set(
			e, EX_MALFORMED,
			"firmware %s: section %zu [0x%x, +0x%x) is empty, not of whole pages "
			"or reaches into the image",
			object, i, s->base, s->size);
	for (size_t k = 0; k < i; k++)
		if (ck_overlap(s->base, s->size, image->section[k].base, image->section[k].size))
			return err_set(e, EX_MALFORMED,
				       "firmware %s: sections %zu and %zu overlap: no page can be "
				       "launched twice",
				       object, k, i);
	return 0;
}

static int read_sections(const char *object, struct reader *r, uint32_t count,
			 struct ovmf_image *out, struct err *e)
{
	uint64_t total = 0;
	unsigned hashes = 0;

	for (uint32_t i = 0; i < count; i++) {
		struct ovmf_section *s = &out->section[i];
		s->base = read_le32(r);
		s->size = read_le32(r);
		s->type = (enum ovmf_section_type)read_le32(r);
		int status = check_section(object, out, i, e);
		if (status < 0)
			return status;
		total += s->size;
		hashes += s->type == OVMF_KERNEL_HASHES;
	}
	out->section_count = count;
	if (total > OVMF_SECTION_BYTES_MAX || hashes > 1)
		return err_set(e, EX_MALFORMED,
			       "firmware %s: %u sections for kernel hashes, %llu MiB of sections: "
			       "more than makes sense",
			       object, hashes, (unsigned long long)(total >> 20));
	return 0;
}

static int read_metadata(const char *object, uint32_t from_end, struct ovmf_image *out,
			 struct err *e)
{
	if (from_end < HEADER_SIZE || from_end > out->size)
		return err_set(e, EX_MALFORMED,
			       "firmware %s: SEV metadata 0x%x bytes before its end: out of bounds",
			       object, from_end);
	struct reader r = reader_over(out->data + out->size - from_end, from_end);
	const uint8_t *magic = read_view(&r, 4);
	uint32_t length = read_le32(&r), version = read_le32(&r), count = read_le32(&r);

	if (magic == NULL || memcmp(magic, "ASEV", 4) != 0 || version != 1)
		return err_set(e, EX_MALFORMED,
			       "firmware %s: SEV metadata without ASEV or of version %u, not 1",
			       object, version);
	if (count == 0 || count > OVMF_SECTIONS_MAX || length > from_end ||
	    length < HEADER_SIZE + count * SECTION_SIZE)
		return err_set(e, EX_MALFORMED,
			       "firmware %s: SEV metadata of %u bytes with %u sections: out of "
			       "bounds (1 to %u are taken)",
			       object, length, count, OVMF_SECTIONS_MAX);
	return read_sections(object, &r, count, out, e);
}

static const struct ovmf_section *hashes_section(const struct ovmf_image *image)
{
	for (size_t i = 0; i < image->section_count; i++)
		if (image->section[i].type == OVMF_KERNEL_HASHES)
			return &image->section[i];
	return NULL;
}

int ovmf_takes_kernel(const char *object, const struct ovmf_image *image, struct err *e)
{
	const struct ovmf_section *s = hashes_section(image);

	if (s == NULL)
		return err_set(e, EX_USAGE_ERROR,
			       "kernel: firmware %s has no section for kernel hashes, QEMU cannot "
			       "measure a kernel with it: give an AmdSev build of OVMF, or no "
			       "--kernel",
			       object);
	if (image->hashes_size < FW_HASH_TABLE_SIZE ||
	    !ck_range(image->hashes_base % PAGE, FW_HASH_TABLE_SIZE, s->size))
		return err_set(e, EX_MALFORMED,
			       "firmware %s: the area for the table of kernel hashes, [0x%x, "
			       "+0x%x), has no room for its %d bytes",
			       object, image->hashes_base, image->hashes_size, FW_HASH_TABLE_SIZE);
	return 0;
}

int ovmf_image_open(const char *object, const uint8_t *data, size_t size, struct ovmf_image *out,
		    struct err *e)
{
	struct ovmf_table table;
	uint32_t area[2] = { 0 }, metadata = 0;

	*out = (struct ovmf_image){ .data = data, .size = size, .base = FOUR_GIB - size };
	if (size == 0 || size > OVMF_IMAGE_MAX || size % PAGE != 0)
		return err_set(e, EX_MALFORMED,
			       "firmware %s: %zu bytes: must be a multiple of %u, at most %u",
			       object, size, PAGE, OVMF_IMAGE_MAX);
	int r = ovmf_table_open(object, data, size, &table, e);
	if (r == 0)
		r = read_words(object, &table, guid_reset_block, "reset vector of SEV-ES", 1,
			       &out->ap_reset, 1, e);
	if (r == 0)
		r = read_words(object, &table, guid_hash_area, "area of kernel hashes", 0, area, 2,
			       e);
	if (r == 0)
		r = read_words(object, &table, guid_metadata, "SEV metadata", 1, &metadata, 1, e);
	out->hashes_base = area[0];
	out->hashes_size = area[1];
	if (r == 0)
		r = read_metadata(object, metadata, out, e);
	return r;
}
