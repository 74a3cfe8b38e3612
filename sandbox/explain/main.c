/* pavise sandbox explain: what each kind of process may ask the kernel for, and why: from its
 * beginning on, and once it is sealed. It prints the tables that the filters of this very build
 * were made from (sandbox/seccomp). */
#include "common/err.h"

#include <getopt.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define PROGRAM "pavise-sandbox"
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define LINE_MAX_SIZE 256u

static const struct role {
	const char *name, *table; /* the table's text, its comment lines first */
} roles[] = {
#include "seccomp/tables.h"
};

static const char usage[] =
	"usage: pavise sandbox explain [ROLE] [--json]\n"
	"\n"
	"Prints the system calls that a process of that role may make, the condition on their\n"
	"arguments and the reason. Every other call ends the process. Where two filters are\n"
	"stacked both are printed; a call has to pass both. Without ROLE: the roles.\n"
	"\n"
	"  --json  machine-readable output, docs/PROTOCOL.sandbox\n"
	"  --help  this text\n"
	"\n"
	"Exit status: 0 shown, 64 wrong option or no such role.\n";

/* One row of a table: the same three columns as table.c reads. */
struct row {
	char call[32], condition[128];
	const char *reason;
};

/* The next line in out, without its newline; false: there is none. */
static bool next_line(const char **at, char out[LINE_MAX_SIZE])
{
	size_t n = strcspn(*at, "\n");

	if (**at == '\0')
		return false;
	snprintf(out, LINE_MAX_SIZE, "%.*s", (int)n, *at);
	*at += n + ((*at)[n] == '\n');
	return true;
}

static bool parse_row(const char *line, struct row *row)
{
	int reason = 0;

	if (line[0] == '#' ||
	    sscanf(line, "%31s %127s %n", row->call, row->condition, &reason) < 2)
		return false;
	row->reason = line + reason;
	return true;
}

/* Of a table's comment line: the role whose filter is below this one's; NULL: another line. */
static const char *stacked_on(const char *line)
{
	static const char words[] = "# Stacked on ";

	return strncmp(line, words, sizeof(words) - 1) == 0 ? line + sizeof(words) - 1 : NULL;
}

/* The role whose filter is installed first, NULL: none. A role that runs in two programs has one in
 * each; the first named is that of the program that is installed. */
static const struct role *first_filter(const struct role *r)
{
	const char *at = r->table, *name = NULL;
	char line[LINE_MAX_SIZE];

	while (name == NULL && next_line(&at, line) && line[0] == '#')
		name = stacked_on(line);
	for (size_t i = 0; name != NULL && i < COUNT(roles); i++)
		if (strlen(roles[i].name) == strcspn(name, ".;") &&
		    strncmp(roles[i].name, name, strlen(roles[i].name)) == 0)
			return &roles[i];
	return NULL;
}

/* The comment at its head is the role's description; its last line names the columns. */
static void describe(const struct role *r, char *out, size_t size)
{
	const char *at = r->table;
	char line[LINE_MAX_SIZE];
	size_t n = 0;

	out[0] = '\0';
	while (next_line(&at, line) && line[0] == '#' && strncmp(line, "# system call", 13) != 0) {
		const char *text = line + strspn(line, "# ");

		n += (size_t)snprintf(out + n, size - n, "%s%s", n == 0 ? "" : " ", text);
		if (n >= size)
			return; /* cut */
	}
}

static const char *condition_text(const struct row *row)
{
	if (strcmp(row->condition, "-") == 0)
		return "always";
	return strcmp(row->condition, "ENOSYS") == 0 ? "not made: ENOSYS" : row->condition;
}

static void print_role(const struct role *r)
{
	const char *at = r->table;
	char line[LINE_MAX_SIZE], about[1024];
	struct row row;

	describe(r, about, sizeof(about));
	printf("%s: %s\n", r->name, about);
	while (next_line(&at, line))
		if (parse_row(line, &row))
			printf("  %-18s %-40s  %s\n", row.call, condition_text(&row), row.reason);
	printf("  any other call: the process is killed\n");
}

/* Both filters, in the order in which they are installed. */
static void print_stack(const struct role *r)
{
	const struct role *first = first_filter(r);

	if (first != NULL) {
		print_role(first);
		printf("\nOn top of that:\n\n");
	}
	print_role(r);
}

static json_t *role_json(const struct role *r)
{
	const struct role *first = first_filter(r);
	const char *at = r->table;
	char line[LINE_MAX_SIZE], about[1024];
	json_t *rows = json_array();
	struct row row;

	describe(r, about, sizeof(about));
	while (next_line(&at, line))
		if (parse_row(line, &row))
			json_array_append_new(rows, json_pack("{s:s, s:s, s:s}", "call", row.call,
							      "condition", row.condition, "reason",
							      row.reason));
	return json_pack("{s:s, s:s, s:s*, s:o}", "role", r->name, "about", about, "first",
			 first == NULL ? NULL : first->name, "rows", rows);
}

static int print_json(const struct role *only, struct err *e)
{
	json_t *list = json_array(), *whole;
	int rc;

	for (size_t i = 0; i < COUNT(roles); i++)
		if (only == NULL || only == &roles[i] || first_filter(only) == &roles[i])
			json_array_append_new(list, role_json(&roles[i]));
	whole = json_pack("{s:s, s:i, s:s, s:o}", "format", "pavise-sandbox", "version", 0,
			  "otherwise", "kill", "roles", list);
	rc = whole == NULL ? -1 : json_dumpf(whole, stdout, JSON_INDENT(2));
	json_decref(whole);
	return rc == 0 && putchar('\n') != EOF ? 0 : err_set(e, EX_HOST, "cannot write JSON");
}

static void print_roles(void)
{
	char about[1024];

	for (size_t i = 0; i < COUNT(roles); i++) {
		describe(&roles[i], about, sizeof(about));
		printf("%-22s %s\n", roles[i].name, about);
	}
}

static int find(const char *name, const struct role **out, struct err *e)
{
	for (size_t i = 0; i < COUNT(roles); i++)
		if (strcmp(roles[i].name, name) == 0) {
			*out = &roles[i];
			return 0;
		}
	return err_set(e, EX_USAGE_ERROR, "%.32s: no such role: pavise sandbox explain lists them",
		       name);
}

static int run(int argc, char **argv, bool json, struct err *e)
{
	const struct role *role = NULL;

	if (argc == 0 || strcmp(argv[0], "explain") != 0)
		return err_set(e, EX_USAGE_ERROR, "say what to do: explain (try --help)");
	if (argc > 2)
		return err_set(e, EX_USAGE_ERROR, "%.32s: one role at a time", argv[2]);
	if (argc == 2 && find(argv[1], &role, e) != 0)
		return -e->status;
	if (json)
		return print_json(role, e);
	if (role == NULL)
		print_roles();
	else
		print_stack(role);
	return fflush(stdout) == 0 ? 0 : err_set(e, EX_HOST, "cannot write");
}

int main(int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct err e = { 0 };
	bool json = false;
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (c == 'h')
			return fputs(usage, stdout) < 0 ? EX_HOST : EX_OK;
		if (c != 'j') {
			(void)err_set(&e, EX_USAGE_ERROR, "unknown option: try --help");
			return err_report(&e, PROGRAM);
		}
		json = true;
	}
	return run(argc - optind, argv + optind, json, &e) < 0 ? err_report(&e, PROGRAM) : EX_OK;
}
