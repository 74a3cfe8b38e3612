#include "attest/measure/tdx/tdvf_command.h"

#include "attest/measure/report.h"
#include "attest/measure/tdx/tdvf_launch.h"
#include "common/bytes.h"
#include "common/file.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static const char *done(const struct mrtd_step *s)
{
	return s->added ? s->extended ? "add+extend" : "add" : "extend";
}

static int step_text(void *arg, const struct mrtd_step *s, struct err *e)
{
	char hex[2 * MRTD_SIZE + 1];

	(void)e;
	hex_encode(s->digest, MRTD_SIZE, hex);
	fprintf((FILE *)arg, "%6u %-10s 0x%012llx %s  %s (section %u)\n", s->number, done(s),
		(unsigned long long)s->gpa, hex, s->what, s->index);
	return 0;
}

static int step_json(void *arg, const struct mrtd_step *s, struct err *e)
{
	char hex[2 * MRTD_SIZE + 1], gpa[32];

	hex_encode(s->digest, MRTD_SIZE, hex);
	snprintf(gpa, sizeof(gpa), "0x%llx", (unsigned long long)s->gpa);
	json_t *step = json_pack("{s:s, s:s, s:s, s:I, s:s}", "type", done(s), "gpa", gpa, "what",
				 s->what, "section", (json_int_t)s->index, "digest", hex);
	if (step == NULL || json_array_append_new((json_t *)arg, step) != 0)
		return err_set(e, EX_INTERNAL, "cannot make the JSON output");
	return 0;
}

static void section_text(FILE *f, unsigned i, const struct tdvf_section *s)
{
	fprintf(f, "section %u %-12s 0x%012llx %10llu bytes, %u from the file: %s%s\n", i,
		tdvf_type_name(s->type), (unsigned long long)s->address,
		(unsigned long long)s->size, s->raw_size, tdvf_is_added(s) ? "added" : "not added",
		tdvf_is_added(s) && (s->attributes & TDVF_MR_EXTEND) != 0 ? ", measured" : "");
}

static json_t *sections_json(const struct tdvf *t)
{
	char address[32];
	json_t *list = json_array();

	for (size_t i = 0; i < t->count; i++) {
		const struct tdvf_section *s = &t->section[i];
		snprintf(address, sizeof(address), "0x%llx", (unsigned long long)s->address);
		json_array_append_new(
			list,
			json_pack("{s:s, s:s, s:I, s:I, s:b, s:b}", "type", tdvf_type_name(s->type),
				  "gpa", address, "size", (json_int_t)s->size, "raw_size",
				  (json_int_t)s->raw_size, "added", tdvf_is_added(s), "measured",
				  tdvf_is_added(s) && (s->attributes & TDVF_MR_EXTEND) != 0));
	}
	return list;
}

static int measure_text(const struct measure_options *o, const struct tdvf *t,
			const struct fw_digests *d, struct err *e)
{
	char hex[2 * MRTD_SIZE + 1];
	struct tdvf_measured m;

	report_part_text(stdout, "firmware", t->size, d);
	for (unsigned i = 0; i < t->count; i++)
		section_text(stdout, i, &t->section[i]);
	if (o->explain)
		fputs("  page what       address        MRTD if it ended here\n", stdout);
	int r = tdvf_measure(o->firmware, t, o->two_pass ? TDVF_TWO_PASS : TDVF_SINGLE,
			     o->explain ? step_text : NULL, stdout, &m, e);
	if (r < 0)
		return r;
	hex_encode(m.mrtd, MRTD_SIZE, hex);
	printf("page order %s\n%u pages are added before the launch\nmrtd %s\n",
	       o->two_pass ? "two-pass" : "single", m.pages, hex);
	return report_flush(stdout, e);
}

static int measure_json(const struct measure_options *o, const struct tdvf *t,
			const struct fw_digests *d, struct err *e)
{
	char hex[2 * MRTD_SIZE + 1];
	struct tdvf_measured m;
	json_t *steps = o->explain ? json_array() : NULL;
	int r = tdvf_measure(o->firmware, t, o->two_pass ? TDVF_TWO_PASS : TDVF_SINGLE,
			     o->explain ? step_json : NULL, steps, &m, e);

	if (r < 0) {
		json_decref(steps);
		return r;
	}
	hex_encode(m.mrtd, MRTD_SIZE, hex);
	json_t *j = json_pack("{s:s, s:i, s:s, s:s, s:{s:o}, s:o, s:s, s:I, s:s}", "format",
			      "pavise-measurement", "version", 0, "tee", "tdx", "vmm", "qemu",
			      "files", "firmware", report_part_json(t->size, d), "sections",
			      sections_json(t), "page_order", o->two_pass ? "two-pass" : "single",
			      "pages", (json_int_t)m.pages, "mrtd", hex);
	if (j != NULL && steps != NULL)
		json_object_set(j, "steps", steps);
	json_decref(steps);
	return report_dump(stdout, j, e);
}

int tdvf_command(const struct measure_options *o, struct err *e)
{
	struct fw_digests d;
	struct tdvf t;
	void *data = NULL;
	size_t size = 0;
	int r = file_read("firmware", o->firmware, TDVF_IMAGE_MAX, 0, &data, &size, e);

	if (r == 0)
		r = tdvf_open(o->firmware, data, size, &t, e);
	if (r == 0)
		r = expect_digests(data, size, &d, e);
	if (r == 0)
		r = o->json ? measure_json(o, &t, &d, e) : measure_text(o, &t, &d, e);
	free(data);
	return r;
}
