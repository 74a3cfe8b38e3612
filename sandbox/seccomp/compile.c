/* seccomp-compile [--refuse] TABLE NAME HEADER: compiles a table into a header with
 * `static const struct sock_filter NAME_filter[]`. Runs at build time, on the build machine.
 * --refuse: for tests, what is not allowed gets EPERM and the process lives. */
#include "common/file.h"
#include "sandbox/seccomp/filter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TABLE_FILE_MAX 65536 /* bytes */

static int write_header(const char *path, const char *table, const char *name,
			const struct sock_filter *filter, size_t count, struct err *e)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);
	int rc;

	if (f == NULL)
		return err_set(e, EX_INTERNAL, "%s: no memory", path);
	fprintf(f, "/* Generated from %s: change that. The includer has linux/filter.h. */\n"
		   "static const struct sock_filter %s_filter[] = {\n", table, name);
	for (size_t i = 0; i < count; i++)
		fprintf(f, "\t{ 0x%02x, %u, %u, 0x%08x },\n", filter[i].code, filter[i].jt,
			filter[i].jf, filter[i].k);
	fprintf(f, "};\n");
	if (fclose(f) != 0)
		rc = err_set(e, EX_INTERNAL, "%s: no memory", path);
	else
		rc = file_write("header", path, text, size, 0644, e);
	free(text);
	return rc;
}

static int compile(const char *table_path, enum filter_otherwise otherwise, const char *name,
		   const char *header, struct err *e)
{
	static struct sock_filter filter[BPF_MAXINSNS];
	static struct table t;
	size_t size, count;
	void *text;
	int rc = file_read("table", table_path, TABLE_FILE_MAX, 0, &text, &size, e);

	if (rc < 0)
		return rc;
	rc = table_parse(table_path, text, size, &t, e);
	free(text);
	if (rc == 0)
		rc = filter_build(&t, otherwise, filter, BPF_MAXINSNS, &count, e);
	if (rc == 0)
		rc = write_header(header, table_path, name, filter, count, e);
	return rc;
}

int main(int argc, char **argv)
{
	bool refuse = argc == 5 && strcmp(argv[1], "--refuse") == 0;
	char **arg = refuse ? argv + 1 : argv;
	struct err e = { 0 };

	if (argc != (refuse ? 5 : 4))
		err_set(&e, EX_USAGE_ERROR, "usage: seccomp-compile [--refuse] TABLE NAME HEADER");
	else
		compile(arg[1], refuse ? FILTER_REFUSE : FILTER_KILL, arg[2], arg[3], &e);
	return e.status == EX_OK ? EX_OK : err_report(&e, "seccomp-compile");
}
