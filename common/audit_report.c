#include "common/audit_report.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define EXPOSURE_MAX 10.0

void report_ask(struct report *r, const struct question *q)
{
	if (r->asked_count < COUNT(r->asked))
		r->asked[r->asked_count++] = q;
}

static int add(struct report *r, const struct question *q, bool unknown, struct err *e,
	       const char *fmt, va_list args)
{
	struct finding *grown;
	char *text = NULL;
	int n;

	if (r->count == REPORT_FINDINGS_MAX) {
		r->cut = true;
		return 0;
	}
	grown = realloc(r->finding, (r->count + 1) * sizeof(*grown));
	if (grown == NULL)
		return err_set(e, EX_HOST, "out of memory");
	r->finding = grown;
	n = vasprintf(&text, fmt, args);
	if (n < 0)
		return err_set(e, EX_HOST, "out of memory");
	/* Names of threads and files stand in it: whoever reads it has a terminal. */
	for (char *c = text; *c != '\0'; c++)
		if ((unsigned char)*c < 0x20 || (unsigned char)*c >= 0x7f)
			*c = '?';
	r->finding[r->count++] = (struct finding){ q, text, unknown };
	return 0;
}

int report_open(struct report *r, const struct question *q, struct err *e, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	int rc = add(r, q, false, e, fmt, args);
	va_end(args);
	return rc;
}

int report_unknown(struct report *r, const struct question *q, struct err *e, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	int rc = add(r, q, true, e, fmt, args);
	va_end(args);
	return rc;
}

static size_t open_answers(const struct report *r, const struct question *q)
{
	size_t n = 0;

	for (size_t i = 0; i < r->count; i++)
		n += r->finding[i].question == q;
	return n;
}

double report_exposure(const struct report *r)
{
	unsigned all = 0, open = 0;

	for (unsigned i = 0; i < r->asked_count; i++) {
		const struct question *q = r->asked[i];
		bool is_open = open_answers(r, q) != 0;

		if (is_open && q->gate)
			return EXPOSURE_MAX;
		all += q->weight;
		open += is_open ? q->weight : 0;
	}
	return all == 0 ? EXPOSURE_MAX : EXPOSURE_MAX * open / all;
}

const char *report_word(double exposure)
{
	if (exposure == 0)
		return "SAFE";
	if (exposure < 3)
		return "OK";
	if (exposure < 7)
		return "EXPOSED";
	return exposure < EXPOSURE_MAX ? "UNSAFE" : "DANGEROUS";
}

static void print_question(const struct report *r, const struct question *q, FILE *out)
{
	size_t open = open_answers(r, q);

	fprintf(out, "%-5s %s: %s%s\n", open == 0 ? "good" : "OPEN", q->id, q->what,
		q->gate ? " (gate)" : "");
	if (open == 0)
		return;
	for (size_t i = 0; i < r->count; i++)
		if (r->finding[i].question == q)
			fprintf(out, "        %s%s\n", r->finding[i].unknown ? "unknown: " : "",
				r->finding[i].text);
	fprintf(out, "      why: %s\n      fix: %s\n", q->why, q->fix);
}

int report_text(const struct report *r, const struct audit_object *o, FILE *out, struct err *e)
{
	double exposure = report_exposure(r);

	fprintf(out, "%s %s, as seen from %s\n", o->key, o->name, o->scope);
	for (unsigned i = 0; i < r->asked_count; i++)
		print_question(r, r->asked[i], out);
	if (r->cut)
		fprintf(out, "cut: there is more than was looked at or listed\n");
	fprintf(out, "exposure: %.1f of 10, %s (%zu findings)\n", exposure, report_word(exposure),
		r->count);
	return fflush(out) == 0 && !ferror(out) ? 0 : err_set(e, EX_HOST, "cannot write");
}

static json_t *question_json(const struct report *r, const struct question *q)
{
	json_t *texts = json_array();
	bool unknown = false;

	for (size_t i = 0; i < r->count; i++)
		if (r->finding[i].question == q) {
			json_array_append_new(texts, json_string(r->finding[i].text));
			unknown = unknown || r->finding[i].unknown;
		}
	return json_pack("{s:s, s:s, s:i, s:b, s:b, s:b, s:s, s:s, s:o}", "id", q->id, "what",
			 q->what, "weight", (int)q->weight, "gate", (int)q->gate, "open",
			 json_array_size(texts) != 0, "unknown", (int)unknown, "why", q->why, "fix",
			 q->fix, "findings", texts);
}

int report_json(const struct report *r, const struct audit_object *o, FILE *out, struct err *e)
{
	double exposure = report_exposure(r);
	json_t *questions = json_array(), *whole;
	int rc;

	for (unsigned i = 0; i < r->asked_count; i++)
		json_array_append_new(questions, question_json(r, r->asked[i]));
	whole = json_pack("{s:s, s:i, s:s, s:s, s:o, s:f, s:s, s:b}", "format", o->format,
			  "version", 0, o->key, o->name, "scope", o->scope, "questions", questions,
			  "exposure", exposure, "word",
			  report_word(exposure), "cut", (int)r->cut);
	rc = whole == NULL ? -1 : json_dumpf(whole, out, JSON_INDENT(2) | JSON_REAL_PRECISION(3));
	json_decref(whole);
	if (rc != 0 || fputc('\n', out) == EOF || fflush(out) != 0)
		return err_set(e, EX_HOST, "cannot write JSON");
	return 0;
}

void report_free(struct report *r)
{
	for (size_t i = 0; i < r->count; i++)
		free(r->finding[i].text);
	free(r->finding);
	*r = (struct report){ 0 };
}

int report_threshold(const char *text, double *out, struct err *e)
{
	char *end;

	errno = 0;
	*out = strtod(text, &end);
	if (errno != 0 || end == text || *end != '\0' || !(*out >= 0 && *out <= EXPOSURE_MAX))
		return err_set(e, EX_USAGE_ERROR, "--threshold %.32s: give a number from 0 to 10",
			       text);
	return 0;
}
