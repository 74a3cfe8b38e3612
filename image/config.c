#include "image/config.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define PREFIX "CONFIG_"
#define NOT_SET " is not set"

/* One line that sets an option, borrowed from the text. */
struct line {
	const char *name, *value;
	size_t name_size, value_size;
};

static size_t name_length(const char *text, size_t size)
{
	size_t n = 0;

	while (n < size && (text[n] == '_' || isalnum((unsigned char)text[n])))
		n++;
	return n;
}

static bool begins(const char *text, size_t size, const char *with)
{
	return size >= strlen(with) && memcmp(text, with, strlen(with)) == 0;
}

/* Does the line set an option? */
static bool parse_line(const char *text, size_t size, struct line *out)
{
	bool comment = begins(text, size, "# ");

	if (comment) {
		text += 2;
		size -= 2;
	}
	if (!begins(text, size, PREFIX))
		return false;
	*out = (struct line){ .name = text, .name_size = name_length(text, size) };
	const char *rest = text + out->name_size;
	size_t left = size - out->name_size;
	if (comment) {
		out->value = "n";
		out->value_size = 1;
		return left == strlen(NOT_SET) && memcmp(rest, NOT_SET, left) == 0;
	}
	out->value = rest + 1;
	out->value_size = left - 1;
	return left >= 2 && rest[0] == '=';
}

static size_t line_length(const char *text, size_t size)
{
	const char *end = memchr(text, '\n', size);

	return end != NULL ? (size_t)(end - text) : size;
}

static void keep(char *out, size_t max, const char *text, size_t size)
{
	size_t n = size < max ? size : max;

	memcpy(out, text, n);
	out[n] = '\0';
}

/* Comment lines before a row are one reason. */
static void add_reason(char reason[CONFIG_REASON_MAX + 1], const char *text, size_t size)
{
	size_t used = strlen(reason);

	snprintf(reason + used, CONFIG_REASON_MAX + 1 - used, "%s%.*s", used != 0 ? " " : "",
		 (int)size, text);
}

static int add_row(struct config *c, const struct line *l, const char *reason, struct err *e)
{
	struct config_row *row = &c->rows[c->count];

	if (c->count == CONFIG_ROWS_MAX || l->name_size > CONFIG_NAME_MAX || l->value_size != 1 ||
	    (l->value[0] != 'y' && l->value[0] != 'n') || reason[0] == '\0')
		return err_set(e, EX_INTERNAL, "fragment: %.*s: no row with a reason",
			       (int)l->name_size, l->name);
	memset(row, 0, sizeof(*row));
	keep(row->name, CONFIG_NAME_MAX, l->name, l->name_size);
	keep(row->wanted, 1, l->value, 1);
	snprintf(row->reason, sizeof(row->reason), "%s", reason);
	c->count++;
	return 0;
}

int config_fragment(const char *text, size_t size, struct config *out, struct err *e)
{
	char reason[CONFIG_REASON_MAX + 1] = "";
	int rc = 0;

	out->count = 0;
	for (size_t at = 0, n; rc == 0 && at < size; at += n + 1) {
		struct line l;
		n = line_length(text + at, size - at);
		if (parse_line(text + at, n, &l)) {
			rc = add_row(out, &l, reason, e);
			/* A reason stands for all rows up to the next comment. */
			if (at + n + 2 < size && begins(text + at + n + 1, 2, "\n"))
				reason[0] = '\0';
		} else if (begins(text + at, n, "# ")) {
			add_reason(reason, text + at + 2, n - 2);
		} else if (n == 0) {
			reason[0] = '\0';
		} else {
			rc = err_set(e, EX_INTERNAL, "fragment: %.*s: no row",
				     (int)(n < 60 ? n : 60), text + at);
		}
	}
	return rc;
}

static int look_up(struct config_row *row, const char *text, size_t size, size_t *options,
		   struct err *e)
{
	char value[CONFIG_VALUE_MAX + 1];
	bool seen = false;

	keep(row->found, CONFIG_VALUE_MAX, "n", 1);
	for (size_t at = 0, n; at < size; at += n + 1) {
		struct line l;
		n = line_length(text + at, size - at);
		if (!parse_line(text + at, n, &l))
			continue;
		++*options;
		if (l.name_size != strlen(row->name) ||
		    memcmp(l.name, row->name, l.name_size) != 0)
			continue;
		keep(value, CONFIG_VALUE_MAX, l.value, l.value_size);
		if (seen && strcmp(value, row->found) != 0)
			return err_set(e, EX_MALFORMED, "%s: set twice, to %s and %s", row->name,
				       row->found, value);
		memcpy(row->found, value, sizeof(value));
		seen = true;
	}
	return 0;
}

int config_check(struct config *c, const char *text, size_t size, bool modules, struct err *e)
{
	size_t options = 0;
	int rc = 0;

	if (memchr(text, '\0', size) != NULL)
		return err_set(e, EX_MALFORMED, "no text: unpack it first (zcat)");
	for (size_t i = 0; rc == 0 && i < c->count; i++) {
		struct config_row *row = &c->rows[i];
		rc = look_up(row, text, size, &options, e);
		row->good = strcmp(row->found, row->wanted) == 0 ||
			    (modules && row->wanted[0] == 'y' && strcmp(row->found, "m") == 0) ||
			    (modules && strcmp(row->name, "CONFIG_MODULES") == 0);
	}
	if (rc == 0 && options == 0)
		rc = err_set(e, EX_MALFORMED, "no option in it: name a kernel's .config");
	return rc;
}
