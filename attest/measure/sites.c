#include "attest/measure/sites.h"

#include "common/bytes.h"
#include "common/checked.h"

#include <string.h>

/* AMD APM vol. 3: PVALIDATE, RMPADJUST, VMGEXIT. Intel TDX Module ABI: TDCALL. */
static const uint8_t pvalidate[FW_SITE_SIZE] = { 0xF2, 0x0F, 0x01, 0xFF };
static const uint8_t rmpadjust[FW_SITE_SIZE] = { 0xF3, 0x0F, 0x01, 0xFE };
static const uint8_t vmgexit[FW_SITE_SIZE] = { 0xF3, 0x0F, 0x01, 0xD9 };

static const uint8_t tdcall[FW_SITE_SIZE] = { 0x66, 0x0F, 0x01, 0xCC };

static int is(const uint8_t *at, const uint8_t instruction[FW_SITE_SIZE])
{
	return memcmp(at, instruction, FW_SITE_SIZE) == 0;
}

static int fits_kind(const uint8_t *at, uint32_t kind, uint32_t variant)
{
	int td = kind == FW_SITE_TDCALL || kind == FW_SITE_TDX_FOLD;

	if (td != (variant == FW_VARIANT_TDX))
		return 0;
	switch (kind) {
	case FW_SITE_PVALIDATE:
		return is(at, pvalidate);
	case FW_SITE_RMPADJUST:
		return is(at, rmpadjust);
	case FW_SITE_VMGEXIT:
		return is(at, vmgexit);
	case FW_SITE_FOLD:
		return is(at, rmpadjust) || is(at, vmgexit);
	case FW_SITE_TDCALL:
	case FW_SITE_TDX_FOLD:
		return is(at, tdcall);
	default:
		return 0;
	}
}

static int check_site(const char *object, const uint8_t *data, const struct fw_image_header *h,
		      const struct fw_site *s, struct err *e)
{
	if (s->offset < sizeof(*h) || !ck_range(s->offset, FW_SITE_SIZE, h->image_size) ||
	    ck_overlap(s->offset, FW_SITE_SIZE, h->sites_offset,
		       (uint64_t)h->sites_count * sizeof(*s)))
		return err_set(e, EX_MALFORMED,
			       "firmware %s: site 0x%x lies outside the image, or over its header "
			       "or table of sites",
			       object, s->offset);
	if (s->offset % FW_PAGE > FW_PAGE - FW_SITE_SIZE)
		return err_set(e, EX_MALFORMED, "firmware %s: site 0x%x straddles two pages",
			       object, s->offset);
	if (!fits_kind(data + s->offset, s->kind, h->variant))
		return err_set(e, EX_MALFORMED,
			       "firmware %s: site 0x%x does not hold the instruction of kind %u",
			       object, s->offset, s->kind);
	return 0;
}

int firmware_sites_check(const char *object, const uint8_t *data, const struct fw_image_header *h,
			 struct err *e)
{
	uint64_t size = (uint64_t)h->sites_count * sizeof(struct fw_site), free_from = 0;
	unsigned folds = 0;

	if (h->sites_count == 0 || h->sites_offset < sizeof(*h) || h->sites_offset % 4 != 0 ||
	    !ck_range(h->sites_offset, size, h->image_size))
		return err_set(e, EX_MALFORMED,
			       "firmware %s: table of %u sites at 0x%x: empty, unaligned or out of "
			       "bounds",
			       object, h->sites_count, h->sites_offset);
	struct reader r = reader_over(data + h->sites_offset, (size_t)size);
	for (uint32_t i = 0; i < h->sites_count; i++) {
		struct fw_site s = { .offset = read_le32(&r) };
		s.kind = read_le32(&r);
		int status = check_site(object, data, h, &s, e);
		if (status < 0)
			return status;
		if (s.offset < free_from)
			return err_set(e, EX_MALFORMED,
				       "firmware %s: site 0x%x is out of order or overlaps the one "
				       "before",
				       object, s.offset);
		free_from = (uint64_t)s.offset + FW_SITE_SIZE;
		folds += s.kind == FW_SITE_FOLD || s.kind == FW_SITE_TDX_FOLD;
	}
	if (folds > 1)
		return err_set(e, EX_MALFORMED, "firmware %s: %u sites claim to be the last one",
			       object, folds);
	return 0;
}
