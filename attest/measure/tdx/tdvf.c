#include "attest/measure/tdx/tdvf.h"

#include "attest/measure/ovmf/table.h"
#include "common/bytes.h"
#include "common/checked.h"

#include <string.h>

#define PAGE 4096u
#define DESCRIPTOR_SIZE 16u
#define SECTION_SIZE 32u
#define LEGACY_OFFSET_FROM_END 32u /* where a u32 holds the descriptor's offset in the file */
#define ADDRESS_END (1ull << 52)   /* no guest-physical address is wider */

/* e47a6535-984a-4798-865e-4685a7bf8ec2 as it lies in memory */
static const uint8_t guid_metadata[16] = { 0x35, 0x65, 0x7a, 0xe4, 0x4a, 0x98, 0x98, 0x47,
					   0x86, 0x5e, 0x46, 0x85, 0xa7, 0xbf, 0x8e, 0xc2 };

const char *tdvf_type_name(uint32_t type)
{
	static const char *const name[TDVF_TYPES] = { "BFV",	      "CFV",	 "TD_HOB",
						      "TempMem",      "PermMem", "Payload",
						      "PayloadParam", "TD_INFO", "TD_PARAMS" };

	return type < TDVF_TYPES ? name[type] : "?";
}

int tdvf_is_added(const struct tdvf_section *s)
{
	return s->type < TDVF_TD_INFO && s->type != TDVF_PERM_MEM &&
	       (s->attributes & TDVF_PAGE_AUG) == 0;
}

/* The descriptor's offset in the file: by the GUIDed table, else as images before it had it. */
static int find_descriptor(const char *object, const uint8_t *data, size_t size, size_t *offset,
			   int *legacy, struct err *e)
{
	struct ovmf_table table;
	struct err none = { 0 };
	size_t n = 0;
	const uint8_t *entry = NULL;

	if (size < LEGACY_OFFSET_FROM_END + DESCRIPTOR_SIZE)
		return err_set(e, EX_MALFORMED, "firmware %s: %zu bytes, too short for TDVF",
			       object, size);
	if (ovmf_table_open(object, data, size, &table, &none) == 0)
		entry = ovmf_table_find(&table, guid_metadata, &n);
	*legacy = entry == NULL;
	struct reader r = *legacy ? reader_over(data + size - LEGACY_OFFSET_FROM_END, 4)
				  : reader_over(entry, n);
	uint32_t value = read_le32(&r);
	uint64_t at = *legacy ? value : (uint64_t)size - value;
	if (r.bad || (!*legacy && value > size) || !ck_range(at, DESCRIPTOR_SIZE, size))
		return err_set(e, EX_MALFORMED,
			       "firmware %s: no TDX metadata (%s 0x%x is out of bounds): not built "
			       "for TDX?",
			       object, *legacy ? "the offset at its end," : "the table's offset",
			       value);
	*offset = (size_t)at;
	return 0;
}

static int bad(const char *object, size_t i, const struct tdvf_section *s, const char *what,
	       struct err *e)
{
	return err_set(e, EX_MALFORMED, "firmware %s: section %zu (%s at 0x%llx): %s", object, i,
		       tdvf_type_name(s->type), (unsigned long long)s->address, what);
}

/* What the design guide demands of each type. */
static const char *type_fault(const struct tdvf_section *s)
{
	switch (s->type) {
	case TDVF_BFV:
	case TDVF_CFV:
		return s->raw_size == 0 ? "has no bytes in the file" : NULL;
	case TDVF_TD_HOB:
	case TDVF_TEMP_MEM:
	case TDVF_PERM_MEM:
		return s->raw_size != 0 ? "has bytes in the file" : NULL;
	case TDVF_TD_INFO:
	case TDVF_TD_PARAMS:
		return s->address != 0 || s->size != 0 ? "has an address" : NULL;
	default:
		return NULL;
	}
}

static int check_section(const char *object, const struct tdvf *t, size_t i, struct err *e)
{
	const struct tdvf_section *s = &t->section[i];

	if (s->type >= TDVF_TYPES)
		return err_set(e, EX_MALFORMED,
			       "firmware %s: section %zu is of type %u, which is unknown", object,
			       i, (unsigned)s->type);
	if ((s->attributes & ~(TDVF_MR_EXTEND | TDVF_PAGE_AUG)) != 0)
		return bad(object, i, s, "attribute bits that are unknown", e);
	if (!ck_range(s->offset, s->raw_size, t->size))
		return bad(object, i, s, "its bytes lie outside the file", e);
	const char *fault = type_fault(s);
	if (fault != NULL)
		return bad(object, i, s, fault, e);
	if (s->type >= TDVF_TD_INFO)
		return 0;
	if (s->size == 0 || s->size % PAGE != 0 || s->address % PAGE != 0 ||
	    !ck_range(s->address, s->size, ADDRESS_END) || s->raw_size > s->size)
		return bad(object, i, s,
			   "empty, not of whole pages, beyond the address space, or smaller than "
			   "its bytes",
			   e);
	for (size_t k = 0; k < i; k++)
		if (ck_overlap(s->address, s->size, t->section[k].address, t->section[k].size))
			return bad(object, i, s, "overlaps another section", e);
	return 0;
}

static int read_sections(const char *object, struct reader *r, struct tdvf *out, struct err *e)
{
	uint64_t added = 0;
	unsigned volumes = 0, hobs = 0;

	for (size_t i = 0; i < out->count; i++) {
		struct tdvf_section *s = &out->section[i];
		s->offset = read_le32(r);
		s->raw_size = read_le32(r);
		s->address = read_le64(r);
		s->size = read_le64(r);
		s->type = (enum tdvf_type)read_le32(r);
		s->attributes = read_le32(r);
		int status = check_section(object, out, i, e);
		if (status < 0)
			return status;
		/* Sizes stay below 2^52 and there are few: no overflow. */
		added += tdvf_is_added(s) ? s->size : 0;
		volumes += s->type == TDVF_BFV;
		hobs += s->type == TDVF_TD_HOB;
	}
	if (volumes == 0 || hobs > 1 || added > TDVF_ADDED_MAX)
		return err_set(e, EX_MALFORMED,
			       "firmware %s: %u BFV sections (1 is the least), %u TD_HOB sections "
			       "(1 is the most), %llu MiB to add (512 are the most)",
			       object, volumes, hobs, (unsigned long long)(added >> 20));
	return 0;
}

int tdvf_open(const char *object, const uint8_t *data, size_t size, struct tdvf *out, struct err *e)
{
	size_t at = 0;

	*out = (struct tdvf){ .data = data, .size = size };
	if (size > TDVF_IMAGE_MAX)
		return err_set(e, EX_MALFORMED, "firmware %s: %zu bytes, at most %u are taken",
			       object, size, TDVF_IMAGE_MAX);
	int status = find_descriptor(object, data, size, &at, &out->legacy, e);
	if (status < 0)
		return status;
	struct reader r = reader_over(data + at, size - at);
	const uint8_t *magic = read_view(&r, 4);
	uint32_t length = read_le32(&r), version = read_le32(&r), count = read_le32(&r);
	if (magic == NULL || memcmp(magic, "TDVF", 4) != 0 || version != 1)
		return err_set(e, EX_MALFORMED,
			       "firmware %s: no TDX metadata (no TDVF of version 1 at 0x%zx): not "
			       "built for TDX?",
			       object, at);
	if (count == 0 || count > TDVF_SECTIONS_MAX || reader_left(&r) / SECTION_SIZE < count ||
	    length < DESCRIPTOR_SIZE + count * SECTION_SIZE || length > size - at)
		return err_set(e, EX_MALFORMED,
			       "firmware %s: TDX metadata of %u bytes with %u sections: out of "
			       "bounds (1 to %u are taken)",
			       object, length, count, TDVF_SECTIONS_MAX);
	out->count = count;
	return read_sections(object, &r, out, e);
}
