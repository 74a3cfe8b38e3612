/* Any bytes as a TDVF image: what is taken keeps the rules that building a trust domain relies on,
 * and is measured in both page orders or refused with a reason. */
#include "attest/measure/tdx/tdvf_launch.h"
#include "common/checked.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BYTES_MEASURED (2u << 20) /* so that one input does not take seconds */

static uint64_t keep_rules(const struct tdvf *t)
{
	uint64_t added = 0;

	if (t->count == 0 || t->count > TDVF_SECTIONS_MAX)
		abort();
	for (size_t i = 0; i < t->count; i++) {
		const struct tdvf_section *s = &t->section[i];
		if (!ck_range(s->offset, s->raw_size, t->size) || tdvf_type_name(s->type)[0] == '?')
			abort();
		if (tdvf_is_added(s) && (s->size % 4096 != 0 || s->raw_size > s->size))
			abort();
		added += tdvf_is_added(s) ? s->size : 0;
	}
	if (added > TDVF_ADDED_MAX)
		abort();
	return added;
}

static int count_step(void *arg, const struct mrtd_step *step, struct err *e)
{
	uint32_t *pages = arg;

	(void)e;
	if (step->number != ++*pages || (!step->added && !step->extended))
		abort();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum tdvf_order orders[] = { TDVF_SINGLE, TDVF_TWO_PASS };
	struct tdvf_measured m;
	struct err e = { 0 };
	struct tdvf t;

	if (tdvf_open("input", data, size, &t, &e) < 0) {
		if (e.status != EX_MALFORMED)
			abort();
		return 0;
	}
	if (keep_rules(&t) > BYTES_MEASURED)
		return 0;
	for (size_t i = 0; i < 2; i++) {
		uint32_t pages = 0;
		struct err why = { 0 };
		if (tdvf_measure("input", &t, orders[i], count_step, &pages, &m, &why) < 0 &&
		    why.status != EX_MALFORMED)
			abort();
	}
	return 0;
}
