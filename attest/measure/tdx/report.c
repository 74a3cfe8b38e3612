#include "attest/measure/tdx/report.h"

#include "attest/measure/report.h"
#include "common/bytes.h"

#include <jansson.h>

static const char *done(const struct mrtd_step *s)
{
	return s->extended ? "add+extend" : "add";
}

static int step_text(void *arg, const struct mrtd_step *s, struct err *e)
{
	char hex[2 * MRTD_SIZE + 1];

	(void)e;
	hex_encode(s->digest, MRTD_SIZE, hex);
	fprintf((FILE *)arg, "%5u %-10s 0x%012llx %s  %s %u\n", s->number, done(s),
		(unsigned long long)s->gpa, hex, s->what, s->index);
	return 0;
}

static int step_json(void *arg, const struct mrtd_step *s, struct err *e)
{
	char hex[2 * MRTD_SIZE + 1], gpa[32];

	hex_encode(s->digest, MRTD_SIZE, hex);
	snprintf(gpa, sizeof(gpa), "0x%llx", (unsigned long long)s->gpa);
	json_t *step = json_pack("{s:s, s:s, s:s, s:I, s:s}", "type", done(s), "gpa", gpa, "what",
				 s->what, "index", (json_int_t)s->index, "digest", hex);
	if (step == NULL || json_array_append_new((json_t *)arg, step) != 0)
		return err_set(e, EX_INTERNAL, "cannot make the JSON output");
	return 0;
}

int tdx_report_text(FILE *f, const struct tdx_report *r, struct err *e)
{
	char hex[2 * MRTD_SIZE + 1];
	struct tdx_measured again;

	report_parts_text(f, &r->contents, &r->base.inputs);
	if (r->plan_path != NULL)
		fprintf(f, "plan %s: %zu bytes\n", r->plan_path, plan_file_size(r->plan));
	fprintf(f, "needs %llu MiB of RAM, at most %u cpus%s; xfam 0x%llx\n",
		(unsigned long long)(r->plan->min_ram >> 20), r->plan->max_cpus,
		r->contents.record.require_tpm ? ", a vTPM" : "",
		(unsigned long long)r->plan->tdx.xfam);
	if (r->explain) {
		fputs(" page what       address        MRTD if it ended here\n", f);
		int status = tdx_measure(r->plan, step_text, f, &again, e);
		if (status < 0)
			return status;
	}
	fprintf(f, "%u pages are added before the launch, %u of them measured\n", r->measured.pages,
		r->measured.extended);
	hex_encode(r->measured.mrtd, MRTD_SIZE, hex);
	fprintf(f, "mrtd   %s  of any machine with this plan\n", hex);
	fprintf(f, "with %u cpus, %llu MiB, %u PCI slots and %s vTPM expect:\n", r->machine.cpus,
		(unsigned long long)(r->machine.memory >> 20), r->machine.pci_slots,
		r->machine.no_tpm ? "no" : "a");
	for (unsigned i = 0; i < TDX_EXPECT_RTMRS; i++) {
		hex_encode(r->expected.rtmr[i], MRTD_SIZE, hex);
		fprintf(f, "rtmr %u %s  %s\n", i, hex, tdx_rtmr_meaning(i));
	}
	return report_flush(f, e);
}

static int add_steps(json_t *j, const struct plan *p, struct err *e)
{
	struct tdx_measured again;
	json_t *steps = json_array();

	if (steps == NULL || json_object_set_new(j, "steps", steps) != 0)
		return err_set(e, EX_INTERNAL, "cannot make the JSON output");
	return tdx_measure(p, step_json, steps, &again, e);
}

static json_t *tdx_json(const struct tdx_report *r)
{
	char attributes[32], xfam[32];

	snprintf(attributes, sizeof(attributes), "0x%llx",
		 (unsigned long long)r->plan->tdx.attributes);
	snprintf(xfam, sizeof(xfam), "0x%llx", (unsigned long long)r->plan->tdx.xfam);
	return json_pack("{s:s, s:s, s:I, s:I}", "attributes", attributes, "xfam", xfam, "gpaw",
			 (json_int_t)r->plan->tdx.gpaw, "svn", (json_int_t)r->contents.image.svn);
}

int tdx_report_json(FILE *f, const struct tdx_report *r, struct err *e)
{
	char mrtd[2 * MRTD_SIZE + 1], rtmr0[2 * MRTD_SIZE + 1], rtmr1[2 * MRTD_SIZE + 1];

	hex_encode(r->measured.mrtd, MRTD_SIZE, mrtd);
	hex_encode(r->expected.rtmr[0], MRTD_SIZE, rtmr0);
	hex_encode(r->expected.rtmr[1], MRTD_SIZE, rtmr1);
	json_t *j = json_pack("{s:s, s:i, s:s, s:o, s:o, s:o, s:{s:I, s:I}, s:o, s:s, s:s, s:s}",
			      "format",
			      "pavise-measurement", "version", 0, "tee", "tdx", "files",
			      report_parts_json(&r->contents, &r->base.inputs), "plan",
			      report_plan_json(r->plan, &r->contents), "tdx", tdx_json(r), "pages",
			      "added", (json_int_t)r->measured.pages, "measured",
			      (json_int_t)r->measured.extended, "machine",
			      report_machine_json(&r->machine), "mrtd", mrtd, "rtmr0", rtmr0,
			      "rtmr1", rtmr1);
	int status = j != NULL && r->explain ? add_steps(j, r->plan, e) : 0;

	if (status < 0) {
		json_decref(j);
		return status;
	}
	return report_dump(f, j, e);
}
