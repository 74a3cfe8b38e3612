/* Replays the launch of a trust domain with TDVF. */
#include "attest/measure/tdx/tdvf_launch.h"

#include <string.h>

/* Page at offset `at` of the section; bytes behind those of the file are zero. */
static void fill_page(const struct tdvf *t, const struct tdvf_section *s, uint64_t at,
		      uint8_t page[MRTD_PAGE])
{
	uint64_t left = at < s->raw_size ? s->raw_size - at : 0;

	memset(page, 0, MRTD_PAGE);
	if (left > 0)
		memcpy(page, t->data + s->offset + at, left < MRTD_PAGE ? (size_t)left : MRTD_PAGE);
}

static int pass(struct mrtd *m, const struct tdvf *t, uint32_t section, int adds, int extends,
		struct err *e)
{
	const struct tdvf_section *s = &t->section[section];
	uint8_t page[MRTD_PAGE];
	int r = 0;

	for (uint64_t at = 0; r == 0 && at < s->size; at += MRTD_PAGE) {
		struct mrtd_step step = { .added = adds,
					  .extended = extends,
					  .gpa = s->address + at,
					  .what = tdvf_type_name(s->type),
					  .index = section };
		fill_page(t, s, at, page);
		r = mrtd_page(m, &step, page, e);
	}
	return r;
}

/* Are its bytes the VMM's and unknown here? */
static int is_supplied(const struct tdvf_section *s)
{
	return s->raw_size == 0 && s->type != TDVF_TEMP_MEM;
}

static int add_section(struct mrtd *m, const char *object, const struct tdvf *t, uint32_t section,
		       enum tdvf_order order, struct err *e)
{
	const struct tdvf_section *s = &t->section[section];
	int extends = (s->attributes & TDVF_MR_EXTEND) != 0;

	if (!tdvf_is_added(s))
		return 0;
	if (extends && is_supplied(s))
		return err_set(e, EX_MALFORMED,
			       "firmware %s: section %u (%s) is measured, but the VMM makes up its "
			       "bytes: its MRTD cannot be predicted",
			       object, section, tdvf_type_name(s->type));
	if (order == TDVF_SINGLE || !extends)
		return pass(m, t, section, 1, extends, e);
	int r = pass(m, t, section, 1, 0, e);
	return r < 0 ? r : pass(m, t, section, 0, 1, e);
}

int tdvf_measure(const char *object, const struct tdvf *t, enum tdvf_order order,
		 mrtd_step_fn *each, void *arg, struct tdvf_measured *out, struct err *e)
{
	struct mrtd m;
	int r = mrtd_open(&m, each, arg, e);

	for (uint32_t i = 0; r == 0 && i < t->count; i++)
		r = add_section(&m, object, t, i, order, e);
	if (r == 0)
		r = mrtd_value(&m, out->mrtd, e);
	out->pages = m.pages;
	mrtd_close(&m);
	return r;
}
