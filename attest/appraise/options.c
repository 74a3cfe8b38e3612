#include "attest/appraise/options.h"

#include "common/bytes.h"

#include <getopt.h>
#include <string.h>

const char options_usage[] =
	"usage: pavise verify bundle FILE --policy F [--nonce HEX] [certificates] [--json]\n"
	"       pavise verify snp --report F [--policy F] [--report-data HEX] [certificates] "
	"[--json]\n"
	"\n"
	"Checks evidence (docs/PROTOCOL.evidence), or an SEV-SNP report alone, against a policy\n"
	"(docs/PROTOCOL.policy), lists every check as pass, fail or skipped, and ends with a "
	"verdict.\n"
	"\n"
	"  --policy F        what to accept. bundle: without one the verdict is a refusal; snp: "
	"without\n"
	"                    one the verdict is at best \"authentic, not appraised\"\n"
	"  --nonce HEX       the nonce you chose for this evidence, 16 to 64 bytes\n"
	"  --report F        an SEV-SNP attestation report, 1184 bytes\n"
	"  --report-data HEX what its REPORT_DATA must be, 64 bytes\n"
	"  --json            machine-readable output, docs/verify-result.schema.json\n"
	"  --help            this text\n"
	"\n"
	"Certificates of SEV-SNP, DER or PEM; what they leave out comes from the evidence:\n"
	"  --vek F           the VCEK or VLEK\n"
	"  --chain F         ASK (or ASVK) and ARK\n"
	"  --cert-table F    snp: a GUIDed certificate table, as a host gives it to its guest\n"
	"  --trust-root F    a root that is not AMD's, to be trusted: the verdict says so\n"
	"  --time T          judge validity at YYYY-MM-DDTHH:MM:SSZ instead of now\n"
	"\n"
	"Exit status: 0 affirming (snp without a policy: authentic), 1 refused by policy, 2 not\n"
	"authentic, 3 evidence, policy or plan malformed, 4 a certificate missing or expired,\n"
	"5 a file cannot be read, 64 wrong option or value. The worst failure counts.\n";

enum {
	OPT_POLICY = 256,
	OPT_NONCE,
	OPT_REPORT,
	OPT_REPORT_DATA,
	OPT_VEK,
	OPT_CHAIN,
	OPT_CERT_TABLE,
	OPT_TRUST_ROOT,
	OPT_TIME,
	OPT_JSON,
	OPT_HELP
};

static const struct option long_options[] = {
	{ "policy", required_argument, NULL, OPT_POLICY },
	{ "nonce", required_argument, NULL, OPT_NONCE },
	{ "report", required_argument, NULL, OPT_REPORT },
	{ "report-data", required_argument, NULL, OPT_REPORT_DATA },
	{ "vek", required_argument, NULL, OPT_VEK },
	{ "chain", required_argument, NULL, OPT_CHAIN },
	{ "cert-table", required_argument, NULL, OPT_CERT_TABLE },
	{ "trust-root", required_argument, NULL, OPT_TRUST_ROOT },
	{ "time", required_argument, NULL, OPT_TIME },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "help", no_argument, NULL, OPT_HELP },
	{ NULL, 0, NULL, 0 },
};

static int take_time(struct options *o, const char *text, struct err *e)
{
	struct tm tm = { 0 };
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);

	if (end == NULL || *end != '\0')
		return err_set(e, EX_USAGE_ERROR, "time: give it as YYYY-MM-DDTHH:MM:SSZ, in UTC");
	o->now = timegm(&tm);
	return 0;
}

static int take_hex(struct options *o, struct err *e)
{
	size_t n = o->nonce_text == NULL ? 0 : strlen(o->nonce_text) / 2;

	if (o->nonce_text != NULL && (n < BINDING_NONCE_MIN || n > BINDING_NONCE_MAX ||
				      !hex_decode(o->nonce_text, o->nonce, n)))
		return err_set(e, EX_USAGE_ERROR, "nonce: give %u to %u bytes in hexadecimal",
			       BINDING_NONCE_MIN, BINDING_NONCE_MAX);
	o->nonce_size = n;
	if (o->report_data_text != NULL &&
	    !hex_decode(o->report_data_text, o->report_data, sizeof(o->report_data)))
		return err_set(e, EX_USAGE_ERROR, "report-data: give %zu bytes in hexadecimal",
			       sizeof(o->report_data));
	return 0;
}

static int take_option(struct options *o, int c, struct err *e)
{
	const struct {
		int option;
		const char **value;
	} texts[] = {
		{ OPT_POLICY, &o->policy },
		{ OPT_NONCE, &o->nonce_text },
		{ OPT_REPORT, &o->report },
		{ OPT_REPORT_DATA, &o->report_data_text },
		{ OPT_VEK, &o->vek },
		{ OPT_CHAIN, &o->chain },
		{ OPT_CERT_TABLE, &o->cert_table },
		{ OPT_TRUST_ROOT, &o->trust_root },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].option == c) {
			*texts[i].value = optarg;
			return 0;
		}
	if (c == OPT_TIME)
		return take_time(o, optarg, e);
	if (c == OPT_JSON)
		o->json = 1;
	else if (c == OPT_HELP)
		o->help = 1;
	else
		return err_set(e, EX_USAGE_ERROR, "unknown or incomplete option: try --help");
	return 0;
}

/* An option of the other kind would be one that is silently not looked at. */
static int check_kind(const struct options *o, struct err *e)
{
	if (o->bundle != NULL &&
	    (o->report != NULL || o->cert_table != NULL || o->report_data_text != NULL))
		return err_set(e, EX_USAGE_ERROR,
			       "bundle: --report, --cert-table and --report-data are for \"snp\"");
	if (o->bundle == NULL && o->report == NULL)
		return err_set(e, EX_USAGE_ERROR, "snp: give --report F: try --help");
	if (o->bundle == NULL && o->nonce_text != NULL)
		return err_set(e, EX_USAGE_ERROR,
			       "snp: a report alone has no nonce: give --report-data");
	return 0;
}

int options_parse(int argc, char **argv, struct options *o, struct err *e)
{
	int c, r = 0;

	*o = (struct options){ .now = time(NULL) };
	while (r == 0 && !o->help && (c = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		r = take_option(o, c, e);
	if (r < 0 || o->help)
		return r;
	const char *kind = optind < argc ? argv[optind] : "(nothing)";
	if (strcmp(kind, "bundle") != 0 && strcmp(kind, "snp") != 0)
		return err_set(e, EX_USAGE_ERROR,
			       "%s: unknown kind of evidence: give \"bundle\" or \"snp\" (try "
			       "--help)",
			       kind);
	int files = strcmp(kind, "bundle") == 0 ? 1 : 0;
	if (optind + 1 + files != argc)
		return err_set(e, EX_USAGE_ERROR, "give exactly %s: try --help",
			       files ? "one evidence file" : "options only");
	o->bundle = files ? argv[optind + 1] : NULL;
	r = take_hex(o, e);
	return r == 0 ? check_kind(o, e) : r;
}
