/* pavise-eventlog: shows a TCG or CC event log and what it replays to. It opens the one file that
 * it is given, judges nothing and needs no TPM. */
#include "attest/eventlog/report.h"

#include "common/file.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#define PROGRAM "pavise-eventlog"

static const char usage[] =
	"usage: pavise eventlog FILE [--json]\n"
	"\n"
	"Shows every event of a TCG event log (legacy SHA-1 or crypto-agile) or of a confidential\n"
	"machine's log (the area that the ACPI table CCEL names), and the register values that "
	"its\n"
	"digests lead to. \"digest of data\" means that an event's digests are those of the data "
	"shown:\n"
	"only then does a register vouch for it. Nothing here says that a log is genuine: that "
	"takes "
	"a\n"
	"quote (pavise verify).\n"
	"\n"
	"  --json   machine-readable output, docs/eventlog.schema.json\n"
	"  --help   this text\n"
	"\n"
	"Exit status: 0 shown to its end, 3 no event log, or it ends in bytes that are no event "
	"(what\n"
	"stands before them is shown), 5 the file cannot be read, 64 wrong option.\n";

struct options {
	const char *path;
	bool json, help;
};

static int parse(int argc, char **argv, struct options *o, struct err *e)
{
	static const struct option long_options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	*o = (struct options){ 0 };
	opterr = 0;
	while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (c == 'h') {
			o->help = true;
			return 0;
		}
		if (c != 'j')
			return err_set(e, EX_USAGE_ERROR, "unknown option: try --help");
		o->json = true;
	}
	if (optind + 1 != argc)
		return err_set(e, EX_USAGE_ERROR, "give exactly one file: try --help");
	o->path = argv[optind];
	return 0;
}

static int show(const struct options *o, struct summary *s, struct err *e)
{
	void *data = NULL;
	size_t size = 0;
	int r = file_read("event log", o->path, EVENTLOG_MAX, 0, &data, &size, e);

	if (r == 0)
		r = summary_make(data, size, s, e);
	if (r == 0)
		r = o->json ? eventlog_json(stdout, s, e) : eventlog_text(stdout, s, e);
	free(data);
	if (r == 0 && s->tail.kind == EVENTLOG_END_OPAQUE)
		return err_set(e, EX_MALFORMED, "%s", s->tail_cause);
	return r;
}

int main(int argc, char **argv)
{
	struct options o;
	struct err e = { 0 };
	int r = parse(argc, argv, &o, &e);

	if (r == 0 && o.help)
		return fputs(usage, stdout) < 0 ? EX_HOST : EX_OK;
	struct summary *s = r == 0 ? malloc(sizeof(*s)) : NULL;
	if (r == 0)
		r = s == NULL ? err_set(&e, EX_HOST, "out of memory") : show(&o, s, &e);
	free(s);
	return r < 0 ? err_report(&e, PROGRAM) : EX_OK;
}
