/* pavise image check-config: says what of guest/kernel.config a kernel does not keep. */
#include "common/file.h"
#include "image/config.h"
#include "image/verbs.h"

#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* guest/kernel.config itself (kernel_config.S). */
extern const char kernel_config_text[];
extern const size_t kernel_config_size;

static size_t wrong(const struct config *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->count; i++)
		n += !c->rows[i].good;
	return n;
}

static void print_text(const struct config *c)
{
	for (size_t i = 0; i < c->count; i++) {
		const struct config_row *r = &c->rows[i];
		if (!r->good)
			printf("wrong  %s is %s, should be %s: %s\n", r->name, r->found, r->wanted,
			       r->reason);
	}
	printf("check-config: %zu of %zu options as they should be\n", c->count - wrong(c),
	       c->count);
}

static int print_json(const struct config *c, struct err *e)
{
	json_t *rows = json_array();
	int bad = rows == NULL;

	for (size_t i = 0; !bad && i < c->count; i++) {
		const struct config_row *r = &c->rows[i];
		bad = json_array_append_new(
			      rows, json_pack("{s:s, s:s, s:s, s:b, s:s}", "option", r->name,
					      "wanted", r->wanted, "found", r->found, "good",
					      r->good, "reason", r->reason)) != 0;
	}
	json_t *j = json_pack("{s:s, s:i, s:b, s:o}", "format", "pavise-check-config", "version", 0,
			      "good", wrong(c) == 0, "options", rows);
	bad = bad || j == NULL || json_dumpf(j, stdout, JSON_INDENT(2)) != 0 ||
	      putchar('\n') == EOF;
	json_decref(j);
	return bad ? err_set(e, EX_HOST, "standard output: cannot be written") : 0;
}

static int check(const char *path, bool modules, bool json, struct err *e)
{
	static struct config c;
	void *text = NULL;
	size_t size = 0;
	struct err why = { 0 };
	int rc = config_fragment(kernel_config_text, kernel_config_size, &c, e);

	if (rc == 0)
		rc = file_read("configuration", path, CONFIG_FILE_MAX, 0, &text, &size, e);
	if (rc == 0 && config_check(&c, text, size, modules, &why) < 0)
		rc = err_set(e, (enum exit_status)why.status, "%s: %s", path, why.text);
	free(text);
	if (rc < 0)
		return rc;
	if (json)
		rc = print_json(&c, e);
	else
		print_text(&c);
	if (rc == 0 && wrong(&c) != 0)
		rc = err_set(e, EX_REFUSED, "%s: %zu options are not as a guest's should be", path,
			     wrong(&c));
	return rc;
}

int verb_check_config(int argc, char **argv, struct err *e)
{
	static const struct option longs[] = { { "allow-modules", no_argument, NULL, 'm' },
					       { "json", no_argument, NULL, 'j' },
					       { "print", no_argument, NULL, 'p' },
					       { 0 } };
	bool modules = false, json = false, print = false;
	int c;

	while ((c = getopt_long(argc, argv, ":", longs, NULL)) != -1) {
		if (c == '?' || c == ':')
			return verb_bad_option(c, argv, e);
		*(c == 'm' ? &modules : c == 'j' ? &json : &print) = true;
	}
	if (print && optind == argc) {
		return fwrite(kernel_config_text, 1, kernel_config_size, stdout) ==
				       kernel_config_size
			       ? 0
			       : err_set(e, EX_HOST, "standard output: cannot be written");
	}
	if (print || optind != argc - 1)
		return err_set(e, EX_USAGE_ERROR, "check-config: needs one .config, or --print");
	return check(argv[optind], modules, json, e);
}
