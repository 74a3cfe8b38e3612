#include "attest/appraise/report.h"

#include <errno.h>
#include <jansson.h>

#define PLAIN_SCOPE "plain VM: the host and its vTPM are trusted"

static const char *status_name(enum check_status s)
{
	return s == CHECK_PASS ? "pass" : s == CHECK_FAIL ? "fail" : "skipped";
}

static const char *scope(const struct checks *c)
{
	return c->scope != NULL ? c->scope : PLAIN_SCOPE;
}

static int flushed(FILE *f, struct err *e)
{
	if (fflush(f) != 0 || ferror(f))
		return err_errno(e, EX_HOST, errno, "standard output: cannot write");
	return 0;
}

int report_text(FILE *f, const struct checks *c, struct err *e)
{
	for (size_t i = 0; i < c->count; i++) {
		const struct check *k = &c->item[i];
		fprintf(f, "%-7s %s: %s\n", status_name(k->status), k->id, k->note);
		if (k->have[0] != '\0')
			fprintf(f, "        have %s\n", k->have);
		if (k->need[0] != '\0')
			fprintf(f, "        need %s\n", k->need);
		if (k->component[0] != '\0')
			fprintf(f, "        component %s\n", k->component);
		if (k->advisory[0] != '\0')
			fprintf(f, "        advisory %s\n", k->advisory);
		if (k->next[0] != '\0')
			fprintf(f, "        next %s\n", k->next);
	}
	/* A verdict that rests on less says so itself. */
	if (checks_verdict(c) == EX_OK && !c->private_root && !c->only_authentic &&
	    !c->no_reference)
		fprintf(f, "verdict: %s (%s)\n", checks_verdict_name(c), scope(c));
	else
		fprintf(f, "verdict: %s\n", checks_verdict_name(c));
	return flushed(f, e);
}

static json_t *check_json(const struct check *k)
{
	json_t *j = json_pack("{s:s, s:s, s:s}", "id", k->id, "status", status_name(k->status),
			      "note", k->note);

	if (j == NULL)
		return NULL;
	const struct {
		const char *key, *text;
	} more[] = {
		{ "have", k->have },	       { "need", k->need }, { "component", k->component },
		{ "advisory", k->advisory }, { "next", k->next },
	};

	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++)
		if (more[i].text[0] != '\0')
			json_object_set_new(j, more[i].key, json_string(more[i].text));
	if (k->status == CHECK_FAIL)
		json_object_set_new(j, "failure", json_string(verdict_name(k->failure)));
	return j;
}

int report_json(FILE *f, const struct checks *c, struct err *e)
{
	enum exit_status verdict = checks_verdict(c);
	json_t *list = json_array(), *claims = json_object();

	for (size_t i = 0; i < c->count; i++)
		json_array_append_new(list, check_json(&c->item[i]));
	for (size_t i = 0; i < c->claim_count; i++)
		json_object_set_new(claims, c->claim[i].name, json_string(c->claim[i].value));
	json_t *j = json_pack("{s:s, s:i, s:s, s:i, s:s, s:o, s:o}", "format", "pavise-verdict",
			      "version", 0, "verdict", checks_verdict_name(c), "exit_status",
			      (int)verdict, "scope", scope(c), "checks", list, "claims", claims);
	if (j == NULL || json_array_size(list) != c->count ||
	    json_object_size(claims) != c->claim_count) {
		json_decref(j);
		return err_set(e, EX_INTERNAL, "cannot make the JSON output");
	}
	int bad = json_dumpf(j, f, JSON_INDENT(1)) != 0 || fputc('\n', f) == EOF;
	json_decref(j);
	if (bad)
		return err_set(e, EX_HOST, "standard output: cannot write");
	return flushed(f, e);
}
