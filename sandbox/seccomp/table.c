#include "sandbox/seccomp/table.h"

#include <ctype.h>
#include <inttypes.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>

#define LINE_MAX_BYTES 160
#define WORD_MAX_BYTES 96

/* Where a row comes from, for error texts. */
struct place {
	const char *object;
	unsigned line;
};

static int bad(const struct place *p, const char *cause, const char *word, struct err *e)
{
	return err_set(e, EX_MALFORMED, "%s:%u: %s: %s", p->object, p->line, cause, word);
}

/* A plain decimal number, or a name. */
static int parse_value(const struct place *p, const char *word, uint64_t *out, struct err *e)
{
	uint64_t v = 0;

	if (!isdigit((unsigned char)word[0])) {
		if (!table_constant(word, out))
			return bad(p, "constant that names.c does not know", word, e);
		return 0;
	}
	if (word[0] == '0' && word[1] != '\0')
		return bad(p, "number with a leading zero", word, e);
	for (const char *c = word; *c != '\0'; c++)
		if (!isdigit((unsigned char)*c) || __builtin_mul_overflow(v, 10u, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(*c - '0'), &v))
			return bad(p, "not a number below 2^64", word, e);
	*out = v;
	return 0;
}

/* argN==V  argN&MASK==V  argN<=V; the text is taken apart in place. */
static int parse_condition(const struct place *p, char *text, struct table_condition *c,
			   struct err *e)
{
	char *op = text + 4, *value;
	int rc;

	if (strncmp(text, "arg", 3) != 0 || text[3] < '0' || text[3] >= '0' + TABLE_ARGS)
		return bad(p, "a condition begins with arg0 to arg5", text, e);
	c->arg = (unsigned)(text[3] - '0');
	if (strncmp(op, "<=", 2) == 0) {
		c->op = TABLE_AT_MOST;
		return parse_value(p, op + 2, &c->value, e);
	}
	value = strstr(op, "==");
	if (value == NULL || (op[0] != '&' && op != value))
		return bad(p, "the operators are ==, <= and &MASK==", text, e);
	*value = '\0';
	c->op = op[0] == '&' ? TABLE_MASKED_EQUAL : TABLE_EQUAL;
	rc = op[0] == '&' ? parse_value(p, op + 1, &c->mask, e) : 0;
	if (rc == 0)
		rc = parse_value(p, value + 2, &c->value, e);
	if (rc == 0 && c->op == TABLE_MASKED_EQUAL && (c->value & ~c->mask) != 0)
		return bad(p, "a value outside its mask never matches", text, e);
	return rc;
}

static int parse_conditions(const struct place *p, char *text, struct table_row *row, struct err *e)
{
	char *next = text;

	row->answer = strcmp(text, "ENOSYS") == 0 ? TABLE_ENOSYS : TABLE_ALLOW;
	if (strcmp(text, "-") == 0 || row->answer == TABLE_ENOSYS)
		return 0;
	while (next != NULL) {
		char *word = strsep(&next, ",");
		struct table_condition c = { 0 };
		int rc = parse_condition(p, word, &c, e);

		if (rc < 0)
			return rc;
		for (unsigned i = 0; i < row->condition_count; i++)
			if (row->condition[i].arg == c.arg)
				return bad(p, "an argument has one condition", row->name, e);
		row->condition[row->condition_count++] = c;
	}
	return 0;
}

static bool same_conditions(const struct table_row *a, const struct table_row *b)
{
	if (a->condition_count != b->condition_count)
		return false;
	for (unsigned i = 0; i < a->condition_count; i++) {
		const struct table_condition *x = &a->condition[i], *y = &b->condition[i];

		if (x->arg != y->arg || x->op != y->op || x->mask != y->mask ||
		    x->value != y->value)
			return false;
	}
	return true;
}

/* A row without conditions, one that answers ENOSYS too, makes all others of its system call
 * meaningless. */
static int check_against_others(const struct place *p, const struct table *t,
				const struct table_row *row, struct err *e)
{
	for (size_t i = 0; i < t->row_count; i++) {
		const struct table_row *other = &t->row[i];

		if (other->number != row->number)
			continue;
		if (same_conditions(other, row))
			return bad(p, "row is there twice", row->name, e);
		if (other->condition_count == 0 || row->condition_count == 0)
			return bad(p, "allowed both always and under a condition", row->name, e);
	}
	return 0;
}

static int parse_row(const struct place *p, char *line, struct table *t, struct err *e)
{
	struct table_row row = { .line = p->line };
	char conditions[WORD_MAX_BYTES];
	int used = 0, rc;

	if (sscanf(line, "%31s %95s %n", row.name, conditions, &used) != 2 || used == 0 ||
	    line[used] == '\0')
		return bad(p, "a row is: system call, condition, - or ENOSYS, reason", line, e);
	row.number = seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86_64, row.name);
	if (row.number < 0)
		return bad(p, "no system call of x86-64", row.name, e);
	rc = parse_conditions(p, conditions, &row, e);
	if (rc == 0)
		rc = check_against_others(p, t, &row, e);
	if (rc < 0)
		return rc;
	if (t->row_count == TABLE_ROWS_MAX)
		return bad(p, "too many rows", row.name, e);
	t->row[t->row_count++] = row;
	return 0;
}

int table_parse(const char *object, const char *text, size_t size, struct table *out,
		struct err *e)
{
	struct place p = { .object = object };
	size_t pos = 0;

	*out = (struct table){ 0 };
	while (pos < size) {
		const char *end = memchr(text + pos, '\n', size - pos);
		size_t n = end == NULL ? size - pos : (size_t)(end - text) - pos;
		char line[LINE_MAX_BYTES];
		int rc = 0;

		p.line++;
		if (end == NULL)
			return bad(&p, "the last line has no end", object, e);
		if (n >= sizeof(line) || memchr(text + pos, '\0', n) != NULL)
			return bad(&p, "line is too long or has a NUL byte", object, e);
		memcpy(line, text + pos, n);
		line[n] = '\0';
		if (n != 0 && line[0] != '#')
			rc = parse_row(&p, line, out, e);
		if (rc < 0)
			return rc;
		pos += n + 1;
	}
	if (out->row_count == 0)
		return bad(&p, "table is empty", object, e);
	return 0;
}

static bool condition_holds(const struct table_condition *c, uint64_t arg)
{
	switch (c->op) {
	case TABLE_EQUAL:
		return arg == c->value;
	case TABLE_MASKED_EQUAL:
		return (arg & c->mask) == c->value;
	case TABLE_AT_MOST:
		return arg <= c->value;
	}
	return false;
}

enum table_answer table_decide(const struct table *t, int number, const uint64_t args[TABLE_ARGS])
{
	for (size_t i = 0; i < t->row_count; i++) {
		const struct table_row *row = &t->row[i];
		bool all = row->number == number;

		for (unsigned k = 0; all && k < row->condition_count; k++)
			all = condition_holds(&row->condition[k], args[row->condition[k].arg]);
		if (all)
			return row->answer;
	}
	return TABLE_REFUSE;
}
