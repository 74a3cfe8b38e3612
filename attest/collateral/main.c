/* pavise-collateral: packs, checks and lists what vendors publish about their platforms. Offline:
 * it opens the files it is given and nothing else; fetching is for whoever has a network. */
#include "attest/collateral/files.h"
#include "attest/collateral/report.h"
#include "attest/x509/when.h"

#include "common/file.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROGRAM "pavise-collateral"

static const char usage[] =
	"usage: pavise collateral pack --out FILE PATH ... [--time T] [--json]\n"
	"       pavise collateral check PATH ... [--time T] [--trust-root F] [--json]\n"
	"       pavise collateral list PATH ... [--json]\n"
	"\n"
	"pack gathers TDX TCB info, TD_QE identities, certificates and revocation lists into one\n"
	"dated bundle (docs/PROTOCOL.collateral) for \"pavise verify --collateral\"; check says "
	"of\n"
	"each part whether its vendor signed it, whether it is current, and what is missing; list\n"
	"says what there is. A PATH is a file or a folder; what a file holds is told by its "
	"content:\n"
	"a bundle, the JSON form of a quote's collateral, an answer of Intel's service, PEM or "
	"DER.\n"
	"In a folder, files that hold none of these are left out, and named.\n"
	"\n"
	"  --out FILE      pack: the bundle to write\n"
	"  --time T        check: judge at this time instead of now; pack: date the bundle so\n"
	"  --trust-root F  check: a root that is no vendor's, to be trusted: the verdict says so\n"
	"  --json          machine-readable output\n"
	"  --help          this text\n"
	"\n"
	"Exit status: 0 done, check: all good, 2 check: a part is not authentic, 3 a file breaks "
	"its\n"
	"form, 4 check: something is missing or not current, 5 a file cannot be read or written,\n"
	"64 wrong option or value.\n";

enum verb { VERB_PACK, VERB_CHECK, VERB_LIST };

struct options {
	enum verb verb;
	const char *out, *trust_root;
	time_t now;
	bool json, help, timed;
	char **path;
	int paths;
};

static int take_time(struct options *o, const char *text, struct err *e)
{
	if (!when_parse(text, &o->now))
		return err_set(e, EX_USAGE_ERROR, "time: give it as 2026-01-31T12:00:00Z");
	o->timed = true;
	return 0;
}

static int take_option(struct options *o, int c, struct err *e)
{
	switch (c) {
	case 'o':
		o->out = optarg;
		return 0;
	case 'r':
		o->trust_root = optarg;
		return 0;
	case 't':
		return take_time(o, optarg, e);
	case 'j':
		o->json = true;
		return 0;
	case 'h':
		o->help = true;
		return 0;
	default:
		return err_set(e, EX_USAGE_ERROR, "unknown or incomplete option: try --help");
	}
}

/* An option of another verb would be one that is silently not looked at. */
static int check_options(const struct options *o, struct err *e)
{
	if (o->paths == 0)
		return err_set(e, EX_USAGE_ERROR, "give at least one file or folder: try --help");
	if ((o->verb == VERB_PACK) != (o->out != NULL))
		return err_set(e, EX_USAGE_ERROR, "--out is for pack, and pack needs it");
	if (o->verb != VERB_CHECK && o->trust_root != NULL)
		return err_set(e, EX_USAGE_ERROR, "--trust-root is for check");
	if (o->verb == VERB_LIST && o->timed)
		return err_set(e, EX_USAGE_ERROR, "--time is for pack and check");
	return 0;
}

static int parse(int argc, char **argv, struct options *o, struct err *e)
{
	static const char *const verbs[] = { "pack", "check", "list" };
	static const struct option long_options[] = {
		{ "out", required_argument, NULL, 'o' },
		{ "trust-root", required_argument, NULL, 'r' },
		{ "time", required_argument, NULL, 't' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c, r = 0;

	*o = (struct options){ .now = time(NULL) };
	opterr = 0;
	while (r == 0 && !o->help && (c = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		r = take_option(o, c, e);
	if (r < 0 || o->help)
		return r;
	const char *verb = optind < argc ? argv[optind] : "(nothing)";
	while (o->verb <= VERB_LIST && strcmp(verb, verbs[o->verb]) != 0)
		o->verb++;
	if (o->verb > VERB_LIST)
		return err_set(e, EX_USAGE_ERROR,
			       "%s: give \"pack\", \"check\" or \"list\" (try --help)", verb);
	o->path = argv + optind + 1;
	o->paths = argc - optind - 1;
	return check_options(o, e);
}

static void skipped(const char *path)
{
	fprintf(stderr, "%s: %s: holds no collateral, left out\n", PROGRAM, path);
}

static int read_root(const char *path, uint8_t digest[48], struct err *e)
{
	void *data = NULL;
	size_t size = 0;
	struct certs certs = { 0 };
	int r = file_read("trusted root", path, CERTS_FILE_MAX, 0, &data, &size, e);

	if (r == 0)
		r = certs_read(path, data, size, &certs, e);
	if (r == 0 && (certs.count != 1 || !cert_is_root(certs.cert[0])))
		r = err_set(e, EX_MALFORMED, "%s: not one self-signed certificate", path);
	if (r == 0 && cert_key_digest(certs.cert[0], digest) < 0)
		r = err_set(e, EX_MALFORMED, "%s: has no key", path);
	certs_free(&certs);
	free(data);
	return r;
}

static int pack(const struct options *o, const struct collateral *c, struct err *e)
{
	char *text;
	size_t size;

	if (c->parts == 0)
		return err_set(e, EX_MALFORMED, "nothing to pack: no collateral was found");
	int r = collateral_write(c, o->now, &text, &size, e);
	if (r < 0)
		return r;
	r = file_write("bundle", o->out, text, size, 0644, e);
	free(text);
	return r;
}

/* The exit status, or negative with *e filled. */
static int run(const struct options *o, struct collateral *c, struct survey *s, struct err *e)
{
	uint8_t root[48];
	struct collateral_trust trust = { .now = o->now };
	int r = 0;

	for (int i = 0; r == 0 && i < o->paths; i++)
		r = files_add(c, o->path[i], skipped, e);
	if (r == 0 && o->trust_root != NULL)
		r = read_root(o->trust_root, root, e);
	if (r < 0)
		return r;
	if (o->trust_root != NULL)
		trust.root = root;
	if (o->verb == VERB_PACK)
		r = pack(o, c, e);
	if (o->verb == VERB_CHECK)
		survey_make(c, &trust, s);
	const struct survey *told = o->verb == VERB_CHECK ? s : NULL;
	if (r == 0)
		r = o->json ? collateral_json(stdout, c, told, e)
			    : collateral_text(stdout, c, told, e);
	return r < 0 || told == NULL ? r : (int)survey_status(c, s);
}

int main(int argc, char **argv)
{
	struct options o;
	struct err e = { 0 };
	int r = parse(argc, argv, &o, &e);

	if (r == 0 && o.help)
		return fputs(usage, stdout) < 0 ? EX_HOST : EX_OK;
	struct collateral *c = calloc(1, sizeof(*c));
	struct survey *s = calloc(1, sizeof(*s));
	if (r == 0)
		r = c == NULL || s == NULL ? err_set(&e, EX_HOST, "out of memory")
					   : run(&o, c, s, &e);
	if (c != NULL)
		collateral_free(c);
	free(c);
	free(s);
	return r < 0 ? err_report(&e, PROGRAM) : r;
}
