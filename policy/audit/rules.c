/* The rules that name a type of ours, against the list of those that should be there
 * (expected.rules, made from policy/selinux and looked through by people): whatever a later module
 * grants to or on our types shows up by name. */
#include "policy/audit/scope.h"

#include <stdlib.h>
#include <string.h>

#define OURS "pavise_"

static const struct question extra = {
	.id = "rules.extra", .weight = 10, .gate = true,
	.what = "nothing is allowed to or on pavise's types but what its own modules allow",
	.why = "another module has added to what was reviewed",
	.fix = "find the module (semodule -lfull; grep the type in its source) and remove it, or "
	       "review the rule and add it to pavise's policy",
};
static const struct question missing = {
	.id = "rules.missing", .weight = 2,
	.what = "every rule of pavise's modules is there",
	.why = "the loaded modules are older than this tool, or of another version",
	.fix = "load the modules of the same release",
};

/* "source target class permission permission..." or "type @attribute", in order. */
static const char *const expected[] = {
#include "policy/expected_rules.h"
};
#define EXPECTED (sizeof(expected) / sizeof(expected[0]))

struct lines {
	struct pdb *db;
	FILE *stream; /* into text, while lines are added */
	char *text;
	size_t size;  /* bytes of text */
	char **list;  /* into text, in order */
	size_t count;
};

static const char *name_of(const struct pdb *db, uint32_t number)
{
	const char *name = pdb_type_name(db, number);

	return name != NULL ? name : pdb_attribute_name(db, number);
}

static bool is_ours(const char *name)
{
	return strncmp(name, OURS, strlen(OURS)) == 0;
}

static void add_rule(void *arg, const struct rule *r)
{
	struct lines *l = arg;
	const char *source = name_of(l->db, r->source), *target = name_of(l->db, r->target);
	char names[PDB_ROOM];

	if (source == NULL || target == NULL || (!is_ours(source) && !is_ours(target)))
		return;
	pdb_permission_names(l->db, r->class, r->bits, names);
	fprintf(l->stream, "%s %s %s %s\n", source, target, pdb_class_name(l->db, r->class), names);
}

/* Attributes of others that our types are in: rules on them are rules on us. */
static void add_attributes(struct lines *l, uint32_t type)
{
	for (uint32_t a = 1; a <= pdb_types(l->db); a++) {
		const char *name = pdb_attribute_name(l->db, a);

		if (name == NULL || is_ours(name) || !pdb_stands_for(l->db, a, type))
			continue;
		fprintf(l->stream, "%s @%s\n", pdb_type_name(l->db, type), name);
	}
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void free_lines(struct lines *l)
{
	free(l->list);
	free(l->text);
}

/* A pointer to each line of the text, in order. */
static int split_lines(struct lines *l, struct err *e)
{
	size_t count = 0;

	for (size_t i = 0; i < l->size; i++)
		count += l->text[i] == '\n';
	l->list = calloc(count + 1, sizeof(*l->list));
	if (l->list == NULL)
		return err_set(e, EX_HOST, "out of memory");
	for (char *at = l->text; l->count < count; at += strlen(at) + 1) {
		at[strcspn(at, "\n")] = '\0';
		l->list[l->count++] = at;
	}
	if (count > 1)
		qsort(l->list, count, sizeof(*l->list), compare);
	return 0;
}

static int make_lines(struct lines *l, struct pdb *db, struct err *e)
{
	*l = (struct lines){ .db = db };
	l->stream = open_memstream(&l->text, &l->size);
	if (l->stream == NULL)
		return err_set(e, EX_HOST, "out of memory");
	pdb_rules(db, add_rule, l);
	for (uint32_t t = 1; t <= pdb_types(db); t++)
		if (pdb_type_name(db, t) != NULL && is_ours(pdb_type_name(db, t)))
			add_attributes(l, t);
	if (fclose(l->stream) != 0)
		return err_set(e, EX_HOST, "out of memory");
	return split_lines(l, e);
}

/* Modules of ours may be left out: a line about a type that is not there is not missing. */
static bool applies(const struct pdb *db, const char *line)
{
	char word[128];
	size_t at = 0;

	for (unsigned i = 0; i < 2; i++) {
		size_t n = strcspn(line + at, " ");
		const char *start = line + at + (line[at] == '@');

		snprintf(word, sizeof(word), "%.*s", (int)(n - (line[at] == '@')), start);
		if (pdb_type(db, word) == 0 && !pdb_knows_attribute(db, word))
			return false;
		at += n + (line[at + n] == ' ');
	}
	return true;
}

static bool has(const struct lines *l, const char *line)
{
	return l->count != 0 &&
	       bsearch(&line, l->list, l->count, sizeof(*l->list), compare) != NULL;
}

static bool is_expected(const char *line)
{
	return bsearch(&line, expected, EXPECTED, sizeof(expected[0]), compare) != NULL;
}

int audit_rules(const struct scope *s, struct report *r, struct err *e)
{
	struct lines l;
	int rc = make_lines(&l, s->db, e);

	report_ask(r, &extra);
	report_ask(r, &missing);
	for (size_t i = 0; rc == 0 && i < l.count; i++)
		if (!is_expected(l.list[i]))
			rc = report_open(r, &extra, e, "%s", l.list[i]);
	for (size_t i = 0; rc == 0 && i < EXPECTED; i++)
		if (!has(&l, expected[i]) && applies(s->db, expected[i]))
			rc = report_open(r, &missing, e, "%s", expected[i]);
	free_lines(&l);
	return rc;
}

int rules_print(struct pdb *db, FILE *out, struct err *e)
{
	struct lines l;
	int rc = make_lines(&l, db, e);

	for (size_t i = 0; rc == 0 && i < l.count; i++)
		fprintf(out, "%s\n", l.list[i]);
	free_lines(&l);
	if (rc == 0 && (fflush(out) != 0 || ferror(out)))
		rc = err_set(e, EX_HOST, "cannot write");
	return rc;
}
