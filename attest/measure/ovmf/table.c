#include "attest/measure/ovmf/table.h"

#include <string.h>

#define RESET_AREA 32u /* vtf0's reset vector and what lies around it, behind the table */
#define GUID_SIZE 16u
#define ENTRY_HEAD (2u + GUID_SIZE) /* length and GUID, which follow the data */

/* 96b582de-1fb2-45f7-baea-a366c55a082d */
static const uint8_t guid_footer[GUID_SIZE] = { 0xde, 0x82, 0xb5, 0x96, 0xb2, 0x1f, 0xf7, 0x45,
						0xba, 0xea, 0xa3, 0x66, 0xc5, 0x5a, 0x08, 0x2d };

static size_t length_at(const uint8_t *end)
{
	return (size_t)end[-(int)ENTRY_HEAD] | (size_t)end[1 - (int)ENTRY_HEAD] << 8;
}

/* Length of the entry that ends at offset `end` of the table, 0 when it does not fit. */
static size_t entry_length(const uint8_t *data, size_t end)
{
	size_t n = end < ENTRY_HEAD ? 0 : length_at(data + end);

	return n < ENTRY_HEAD || n > end ? 0 : n;
}

int ovmf_table_open(const char *object, const uint8_t *image, size_t size, struct ovmf_table *out,
		    struct err *e)
{
	if (size < RESET_AREA + ENTRY_HEAD)
		return err_set(e, EX_MALFORMED, "firmware %s: %zu bytes, too short for OVMF",
			       object, size);
	const uint8_t *end = image + size - RESET_AREA;
	if (memcmp(end - GUID_SIZE, guid_footer, GUID_SIZE) != 0)
		return err_set(
			e, EX_MALFORMED,
			"firmware %s: no OVMF image (no GUIDed table 48 bytes before its end): "
			"give the file that holds the reset vector, as OVMF.fd or "
			"OVMF_CODE.fd",
			object);
	size_t total = length_at(end);
	if (total < ENTRY_HEAD || total > size - RESET_AREA)
		return err_set(e, EX_MALFORMED,
			       "firmware %s: GUIDed table of %zu bytes: truncated file?", object,
			       total);
	struct ovmf_table t = { .data = end - total, .size = total - ENTRY_HEAD };
	for (size_t at = t.size, n; at > 0; at -= n) {
		n = entry_length(t.data, at);
		if (n == 0)
			return err_set(
				e, EX_MALFORMED,
				"firmware %s: entry of the GUIDed table %zu bytes before its "
				"footer has a wrong length",
				object, t.size - at);
	}
	*out = t;
	return 0;
}

const uint8_t *ovmf_table_find(const struct ovmf_table *t, const uint8_t guid[16], size_t *size)
{
	for (size_t at = t->size, n; at > 0; at -= n) {
		n = entry_length(t->data, at);
		if (n == 0)
			return NULL;
		if (memcmp(t->data + at - GUID_SIZE, guid, GUID_SIZE) == 0) {
			*size = n - ENTRY_HEAD;
			return t->data + at - n;
		}
	}
	return NULL;
}
