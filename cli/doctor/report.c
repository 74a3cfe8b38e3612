/* Probing all rows, and the two forms of the result. */
#include "cli/doctor/doctor.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

const char *const doctor_kind_names[KIND_COUNT] = { "plain", "snp", "tdx", "sim" };

static const char *const state_names[] = { "found", "missing", "unknown" };

void doctor_examine(const struct doctor_host *h, struct doctor_result *r)
{
	for (size_t i = 0; i < doctor_row_count; i++) {
		/* A probe that says nothing has found nothing. */
		r->finding[i] = (struct doctor_finding){ .state = DOCTOR_MISSING };
		if ((doctor_rows[i].kinds & r->kinds) != 0)
			doctor_rows[i].probe(h, &r->finding[i]);
	}
}

bool doctor_required(const struct doctor_row *row, bool degraded)
{
	return row->need == ROW_REQUIRED || (row->need == ROW_ISOLATION && !degraded);
}

unsigned doctor_lacks(const struct doctor_result *r, unsigned kind)
{
	unsigned n = 0;

	for (size_t i = 0; i < doctor_row_count; i++)
		n += (doctor_rows[i].kinds & kind) != 0 &&
		     doctor_required(&doctor_rows[i], r->degraded) &&
		     r->finding[i].state != DOCTOR_FOUND;
	return n;
}

static const char *title(unsigned kinds)
{
	switch (kinds) {
	case KINDS_ALL:
		return "every host";
	case KIND_SNP | KIND_TDX:
		return "SEV-SNP and TDX hosts";
	case KIND_SNP:
		return "SEV-SNP hosts";
	case KIND_TDX:
		return "TDX hosts";
	default:
		return "hosts that simulate SEV-SNP (protects nothing)";
	}
}

static void print_row(const struct doctor_row *row, const struct doctor_finding *f, bool degraded,
		      FILE *out)
{
	fprintf(out, "  %-7s  %s%s: %s", state_names[f->state], row->id,
		doctor_required(row, degraded) ? "" : " (advised)", f->detail);
	if (f->state == DOCTOR_MISSING)
		fprintf(out, "; fix: %s", row->fix);
	else if (f->state == DOCTOR_UNKNOWN)
		fprintf(out, "; run doctor as root to look; if it is missing: %s", row->fix);
	fputc('\n', out);
}

static int finish(FILE *out, struct err *e)
{
	if (ferror(out) || fflush(out) != 0)
		return err_errno(e, EX_HOST, errno, "output: cannot be written");
	return 0;
}

int doctor_print_text(const struct doctor_result *r, FILE *out, struct err *e)
{
	unsigned group = 0;

	for (size_t i = 0; i < doctor_row_count; i++) {
		const struct doctor_row *row = &doctor_rows[i];

		if ((row->kinds & r->kinds) == 0)
			continue;
		if (row->kinds != group)
			fprintf(out, "%s:\n", title(row->kinds));
		group = row->kinds;
		print_row(row, &r->finding[i], r->degraded, out);
	}
	for (unsigned k = 0; k < KIND_COUNT; k++) {
		unsigned lacks = doctor_lacks(r, 1u << k);

		if ((r->kinds >> k & 1) == 0)
			continue;
		if (lacks == 0)
			fprintf(out, "%s: ready%s\n", doctor_kind_names[k],
				r->degraded ? " (isolation degraded)" : "");
		else
			fprintf(out, "%s: not ready: %u required %s missing or unknown\n",
				doctor_kind_names[k], lacks, lacks == 1 ? "thing" : "things");
	}
	return finish(out, e);
}

static json_t *names_of(unsigned kinds)
{
	json_t *list = json_array();

	for (unsigned k = 0; k < KIND_COUNT; k++)
		if ((kinds >> k & 1) != 0)
			json_array_append_new(list, json_string(doctor_kind_names[k]));
	return list;
}

static json_t *row_of(const struct doctor_result *r, size_t i)
{
	const struct doctor_row *row = &doctor_rows[i];
	const struct doctor_finding *f = &r->finding[i];

	return json_pack("{s:s, s:o, s:b, s:s, s:s, s:s}", "id", row->id, "kinds",
			 names_of(row->kinds), "required", doctor_required(row, r->degraded),
			 "state", state_names[f->state], "detail", f->detail, "fix", row->fix);
}

int doctor_print_json(const struct doctor_result *r, unsigned judged, FILE *out, struct err *e)
{
	json_t *ready = json_object(), *rows = json_array(), *all;
	bool good = true;
	int rc;

	for (unsigned k = 0; k < KIND_COUNT; k++)
		if ((r->kinds >> k & 1) != 0)
			json_object_set_new(ready, doctor_kind_names[k],
					    json_boolean(doctor_lacks(r, 1u << k) == 0));
	for (unsigned k = 0; k < KIND_COUNT; k++)
		if ((judged >> k & 1) != 0)
			good = good && doctor_lacks(r, 1u << k) == 0;
	for (size_t i = 0; i < doctor_row_count; i++)
		if ((doctor_rows[i].kinds & r->kinds) != 0)
			json_array_append_new(rows, row_of(r, i));
	all = json_pack("{s:s, s:i, s:s, s:o, s:b, s:o, s:o}", "format", "pavise-doctor",
			"version", 0, "isolation", r->degraded ? "degraded" : "required",
			"judged", names_of(judged), "good", good, "ready", ready, "rows", rows);
	if (all == NULL)
		return err_set(e, EX_HOST, "out of memory");
	rc = json_dumpf(all, out, JSON_INDENT(1));
	json_decref(all);
	if (rc != 0 || fputc('\n', out) == EOF)
		return err_set(e, EX_HOST, "output: cannot be written");
	return finish(out, e);
}
