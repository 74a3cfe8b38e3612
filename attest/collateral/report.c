#include "attest/collateral/report.h"

#include "attest/x509/when.h"
#include "common/bytes.h"

#include <errno.h>
#include <jansson.h>

static const char *const answer_names[] = {
	[COLLATERAL_GOOD] = "good",
	[COLLATERAL_STALE] = "not current",
	[COLLATERAL_MISSING] = "unproven",
	[COLLATERAL_BAD] = "not authentic",
};

static const char *verdict(const struct collateral *c, const struct survey *s)
{
	switch (survey_status(c, s)) {
	case EX_OK:
		return s->private_root ? "good (simulated or private root)" : "good";
	case EX_COLLATERAL:
		return "missing or not current";
	default:
		return "not authentic";
	}
}

static int flushed(FILE *f, struct err *e)
{
	if (fflush(f) != 0 || ferror(f))
		return err_errno(e, EX_HOST, errno, "standard output: cannot write");
	return 0;
}

static void part_text(FILE *f, const struct collateral_part *p,
		      const struct collateral_proof *proof)
{
	char what[1024], from[WHEN_TEXT_SIZE], to[WHEN_TEXT_SIZE];
	time_t first, last;

	survey_describe(p, what, sizeof(what));
	if (proof != NULL)
		fprintf(f, "%-13s ", answer_names[proof->answer]);
	fprintf(f, "%s: %s\n", p->origin, what);
	if (survey_dates(p, &first, &last)) {
		when_text(first, from);
		when_text(last, to);
		fprintf(f, "              from %s to %s\n", from, to);
	}
	if (proof != NULL && proof->answer == COLLATERAL_GOOD && proof->until != 0) {
		when_text(proof->until, to);
		fprintf(f, "              good until %s\n", to);
	}
	if (proof != NULL && proof->answer != COLLATERAL_GOOD)
		fprintf(f, "              %s\n", proof->why.text);
}

int collateral_text(FILE *f, const struct collateral *c, const struct survey *s, struct err *e)
{
	char when[WHEN_TEXT_SIZE];

	if (c->created != 0) {
		when_text(c->created, when);
		fprintf(f, "bundle of %s\n", when);
	}
	for (size_t i = 0; i < c->parts; i++)
		part_text(f, &c->part[i], s != NULL ? &s->proof[i] : NULL);
	for (size_t i = 0; s != NULL && i < s->gaps; i++)
		fprintf(f, "%-13s %s\n", "missing", s->gap[i]);
	if (s != NULL)
		fprintf(f, "verdict: %s\n", verdict(c, s));
	return flushed(f, e);
}

static void set_time(json_t *j, const char *key, time_t t)
{
	char text[WHEN_TEXT_SIZE];

	when_text(t, text);
	json_object_set_new(j, key, json_string(text));
}

static void set_proof(json_t *j, const struct collateral_proof *proof)
{
	json_object_set_new(j, "answer", json_string(answer_names[proof->answer]));
	if (proof->answer != COLLATERAL_GOOD)
		json_object_set_new(j, "why", json_string(proof->why.text));
	else if (proof->until != 0)
		set_time(j, "good_until", proof->until);
	json_object_set_new(j, "private_root", json_boolean(proof->private_root));
}

static json_t *part_json(const struct collateral_part *p, const struct collateral_proof *proof)
{
	char what[1024], digest[65], fmspc[13];
	time_t first, last;

	survey_describe(p, what, sizeof(what));
	hex_encode(p->sha256, sizeof(p->sha256), digest);
	json_t *j = json_pack("{s:s, s:s, s:s, s:I, s:s}", "kind", collateral_kind_names[p->kind],
			      "origin", p->origin, "sha256", digest, "size", (json_int_t)p->size,
			      "description", what);
	if (j == NULL)
		return NULL;
	if (survey_dates(p, &first, &last)) {
		set_time(j, "from", first);
		set_time(j, "to", last);
	}
	if (p->tcb != NULL) {
		hex_encode(p->tcb->fmspc, sizeof(p->tcb->fmspc), fmspc);
		json_object_set_new(j, "fmspc", json_string(fmspc));
		json_object_set_new(j, "evaluation", json_integer(p->tcb->evaluation));
	}
	if (p->qe != NULL)
		json_object_set_new(j, "evaluation", json_integer(p->qe->evaluation));
	if (p->kind == COLLATERAL_CRL) {
		json_object_set_new(j, "issuer", json_string(p->crl.issuer));
		json_object_set_new(j, "entries", json_integer((json_int_t)p->crl.entries));
	}
	if (proof != NULL)
		set_proof(j, proof);
	return j;
}

int collateral_json(FILE *f, const struct collateral *c, const struct survey *s, struct err *e)
{
	json_t *parts = json_array(), *gaps = json_array();
	json_t *j = json_pack("{s:s, s:i, s:o}", "format", "pavise-collateral-report", "version", 0,
			      "parts", parts);

	for (size_t i = 0; i < c->parts; i++)
		json_array_append_new(parts,
				      part_json(&c->part[i], s != NULL ? &s->proof[i] : NULL));
	for (size_t i = 0; s != NULL && i < s->gaps; i++)
		json_array_append_new(gaps, json_string(s->gap[i]));
	if (c->created != 0)
		set_time(j, "created", c->created);
	if (s != NULL) {
		json_object_set(j, "missing", gaps);
		json_object_set_new(j, "verdict", json_string(verdict(c, s)));
		json_object_set_new(j, "exit_status", json_integer(survey_status(c, s)));
	}
	json_decref(gaps);
	if (j == NULL || json_array_size(parts) != c->parts) {
		json_decref(j);
		return err_set(e, EX_INTERNAL, "cannot make the JSON output");
	}
	int bad = json_dumpf(j, f, JSON_INDENT(1)) != 0 || fputc('\n', f) == EOF;
	json_decref(j);
	if (bad)
		return err_set(e, EX_HOST, "standard output: cannot write");
	return flushed(f, e);
}
