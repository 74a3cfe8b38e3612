#include "attest/measure/snp/report.h"

#include "attest/measure/parts.h"
#include "attest/measure/report.h"
#include "common/bytes.h"

#include <jansson.h>

int snp_step_text(void *arg, const struct snp_step *s, struct err *e)
{
	char hex[2 * SNP_DIGEST_SIZE + 1];

	(void)e;
	hex_encode(s->digest, SNP_DIGEST_SIZE, hex);
	fprintf((FILE *)arg, "%5u %-7s 0x%012llx %s  %s %u\n", s->number,
		snp_page_type_name(s->type), (unsigned long long)s->gpa, hex, s->what, s->index);
	return 0;
}

int snp_report_text(FILE *f, const struct snp_report *r, struct err *e)
{
	const struct plan *p = r->plan;
	char hex[2 * SNP_DIGEST_SIZE + 1];
	uint8_t ld[SNP_DIGEST_SIZE];

	report_parts_text(f, &r->contents, &r->base.inputs);
	if (r->plan_path != NULL)
		fprintf(f, "plan %s: %zu bytes\n", r->plan_path, plan_file_size(p));
	fprintf(f, "needs %llu MiB of RAM and %s %u cpus%s; guest policy 0x%llx\n",
		(unsigned long long)(p->min_ram >> 20), p->snp.cpus == 0 ? "at most" : "exactly",
		p->max_cpus, r->contents.record.require_tpm ? ", a vTPM" : "",
		(unsigned long long)p->snp.policy);
	if (r->explain) {
		fputs(SNP_STEP_TITLE, f);
		int status = snp_measure_cpus(p, r->cpus, snp_step_text, f, ld, e);
		if (status < 0)
			return status;
	}
	fprintf(f, "%u pages are added before the launch, and the start states of %u cpus\n",
		parts_launched_pages(p), r->cpus);
	hex_encode(r->ld, SNP_DIGEST_SIZE, hex);
	fprintf(f, "measurement %s\n", hex);
	return report_flush(f, e);
}

int snp_step_json(void *arg, const struct snp_step *s, struct err *e)
{
	char hex[2 * SNP_DIGEST_SIZE + 1], gpa[32];

	hex_encode(s->digest, SNP_DIGEST_SIZE, hex);
	snprintf(gpa, sizeof(gpa), "0x%llx", (unsigned long long)s->gpa);
	json_t *step =
		json_pack("{s:s, s:s, s:s, s:I, s:s}", "type", snp_page_type_name(s->type), "gpa",
			  gpa, "what", s->what, "index", (json_int_t)s->index, "digest", hex);
	if (step == NULL || json_array_append_new((json_t *)arg, step) != 0)
		return err_set(e, EX_INTERNAL, "cannot make the JSON output");
	return 0;
}

static int add_steps(json_t *j, const struct snp_report *r, struct err *e)
{
	uint8_t ld[SNP_DIGEST_SIZE];
	json_t *steps = json_array();

	if (steps == NULL || json_object_set_new(j, "steps", steps) != 0)
		return err_set(e, EX_INTERNAL, "cannot make the JSON output");
	return snp_measure_cpus(r->plan, r->cpus, snp_step_json, steps, ld, e);
}

static json_t *snp_json(const struct snp_report *r)
{
	char policy[32];

	snprintf(policy, sizeof(policy), "0x%llx", (unsigned long long)r->plan->snp.policy);
	return json_pack("{s:I, s:b, s:s, s:I, s:I}", "cpus", (json_int_t)r->cpus, "any_cpus",
			 r->plan->snp.cpus == 0, "policy", policy, "sev_features",
			 (json_int_t)r->plan->snp.sev_features, "svn",
			 (json_int_t)r->contents.image.svn);
}

int snp_report_json(FILE *f, const struct snp_report *r, struct err *e)
{
	char hex[2 * SNP_DIGEST_SIZE + 1];

	hex_encode(r->ld, SNP_DIGEST_SIZE, hex);
	json_t *j = json_pack("{s:s, s:i, s:s, s:o, s:o, s:o, s:{s:I, s:I}, s:s}", "format",
			      "pavise-measurement", "version", 0, "tee", "sev-snp", "files",
			      report_parts_json(&r->contents, &r->base.inputs), "plan",
			      report_plan_json(r->plan, &r->contents), "snp", snp_json(r), "pages",
			      "added", (json_int_t)parts_launched_pages(r->plan), "vmsas",
			      (json_int_t)r->cpus, "measurement", hex);
	int status = j != NULL && r->explain ? add_steps(j, r, e) : 0;

	if (status < 0) {
		json_decref(j);
		return status;
	}
	return report_dump(f, j, e);
}
