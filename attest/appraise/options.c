#include "attest/appraise/options.h"

#include "common/args.h"
#include "common/bytes.h"
#include "common/rfc3339.h"

#include <stddef.h>
#include <string.h>

const char options_usage[] =
	"usage: pavise verify bundle FILE [option ...]\n"
	"       pavise verify snp --report F [--vek F] [--chain F] [--cert-table F] [--crl F ...]\n"
	"                         [--collateral FILE|DIR ...]\n"
	"       pavise verify tdx --quote F [--collateral FILE|DIR ...] [--ccel F]\n"
	"       pavise verify tpm --quote F --signature F --ak F [--pcrs F] [--event-log F]\n"
	"\n"
	"Judges evidence against a policy, offline: every check is listed as pass, fail or skipped,\n"
	"the verdict comes last. Nothing is opened but the files named here (and by the policy).\n"
	"\n"
	"  --policy P        what to accept: a file (docs/PROTOCOL.policy), or strict, recommended,\n"
	"                    permissive, or none (authenticity only). Without it: refused\n"
	"  --nonce HEX       the nonce you chose for this evidence, 16 to 64 bytes. snp, tdx:\n"
	"                    REPORT_DATA must be it, with zero bytes behind; tpm: extraData, from 1\n"
	"                    byte on\n"
	"  --report-data HEX snp, tdx: what REPORT_DATA must be, 64 bytes\n"
	"  --time T          judge validity at this RFC 3339 time instead of now\n"
	"  --trust-root F    a root that is not the vendor's, to be trusted: the verdict says so\n"
	"  --allow-report-version N\n"
	"                    take evidence of this unknown version as the last one known\n"
	"  --json            machine-readable output, docs/verify-result.schema.json\n"
	"  --help            this text\n"
	"\n"
	"  --vek F           VCEK or VLEK, or the whole chain (snp, bundle)\n"
	"  --chain F         ASK (or ASVK) and ARK (snp, bundle)\n"
	"  --cert-table F    a GUIDed certificate table, as a host gives it to its guest\n"
	"  --crl F           a revocation list\n"
	"  --collateral F    certificates, TCB info, QE identity, revocation lists (snp, bundle, tdx):\n"
	"                    one file or a folder\n"
	"  --ccel F          the confidential-computing event log\n"
	"  --quote F         tpm: TPMS_ATTEST, with or without TPM2B\n"
	"  --signature F     tpm: TPMT_SIGNATURE, or the signature alone where the key says the rest\n"
	"  --ak F            tpm: TPMT_PUBLIC, TPM2B_PUBLIC, public key or certificate; --chain F has\n"
	"                    more certificates\n"
	"  --pcrs F          tpm: {\"sha256\": {\"0\": \"hex\"}}, or the values quoted one after the other\n"
	"  --event-log F     tpm: a TCG event log, legacy or crypto-agile\n"
	"Certificates and lists are DER or PEM.\n"
	"\n"
	"Exit status: 0 affirming (policy none: authentic), 1 refused by policy, 2 not authentic,\n"
	"3 evidence, policy or plan malformed, 4 collateral missing or expired, 5 a file cannot be\n"
	"read, 64 wrong option or value. The worst failure counts.\n";

#define BUNDLE (1u << REQUEST_BUNDLE)
#define SNP (1u << REQUEST_SNP)
#define TDX (1u << REQUEST_TDX)
#define TPM (1u << REQUEST_TPM)
#define ALL (BUNDLE | SNP | TDX | TPM)

static const struct {
	const char *name;
	const char *evidence; /* the option that holds it; NULL: it stands behind the kind */
} kinds[] = {
	[REQUEST_BUNDLE] = { "bundle", NULL },
	[REQUEST_SNP] = { "snp", "report" },
	[REQUEST_TDX] = { "tdx", "quote" },
	[REQUEST_TPM] = { "tpm", "quote" },
};

enum shape { TEXT, LIST, FLAG };

#define FIELD(f) offsetof(struct options, f)
static const struct option_row {
	const char *name;
	unsigned kinds; /* that know it */
	enum shape shape;
	size_t offset;
} rows[] = {
	{ "policy", ALL, TEXT, FIELD(policy) },
	{ "nonce", ALL, TEXT, FIELD(nonce_text) },
	{ "report-data", SNP | TDX, TEXT, FIELD(report_data_text) },
	{ "time", ALL, TEXT, FIELD(time_text) },
	{ "trust-root", ALL, TEXT, FIELD(trust_root) },
	{ "allow-report-version", ALL, TEXT, FIELD(version_text) },
	{ "json", ALL, FLAG, FIELD(json) },
	{ "report", SNP, TEXT, FIELD(evidence) },
	{ "vek", SNP | BUNDLE, TEXT, FIELD(vek) },
	{ "chain", SNP | BUNDLE | TPM, TEXT, FIELD(chain) },
	{ "cert-table", SNP, TEXT, FIELD(cert_table) },
	{ "crl", SNP | BUNDLE, LIST, FIELD(crl) },
	{ "quote", TDX | TPM, TEXT, FIELD(evidence) },
	{ "collateral", TDX | SNP | BUNDLE, LIST, FIELD(collateral) },
	{ "ccel", TDX, TEXT, FIELD(ccel) },
	{ "signature", TPM, TEXT, FIELD(signature) },
	{ "ak", TPM, TEXT, FIELD(ak) },
	{ "pcrs", TPM, TEXT, FIELD(pcrs) },
	{ "event-log", TPM, TEXT, FIELD(event_log) },
};

/* The row of a whole name of n characters: abbreviations change their meaning with time. */
static const struct option_row *row_of(const char *name, size_t n)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strlen(rows[i].name) == n && strncmp(rows[i].name, name, n) == 0)
			return &rows[i];
	return NULL;
}

static int store(struct options *o, const struct option_row *row, const char *value, struct err *e)
{
	void *at = (char *)o + row->offset;
	struct option_list *list = at;
	const char **text = at;

	switch (row->shape) {
	case FLAG:
		*(bool *)at = true;
		return 0;
	case LIST:
		if (list->count == OPTIONS_REPEAT_MAX)
			return err_set(e, EX_USAGE_ERROR, "--%s: at most %u times", row->name,
				       OPTIONS_REPEAT_MAX);
		list->value[list->count++] = value;
		return 0;
	case TEXT:
		break;
	}
	if (*text != NULL)
		return err_set(e, EX_USAGE_ERROR, "--%s: given twice", row->name);
	*text = value;
	return 0;
}

/* "--name value", "--name=value", "--flag"; *i moves to the last argument used. */
static int take_option(struct options *o, int argc, char **argv, int *i, struct err *e)
{
	const char *name = argv[*i] + 2, *equals = strchr(name, '=');
	const struct option_row *row =
		row_of(name, equals != NULL ? (size_t)(equals - name) : strlen(name));

	if (row == NULL)
		return err_set(e, EX_USAGE_ERROR, "--%s: unknown option: try --help", name);
	if ((row->kinds >> o->kind & 1) == 0)
		return err_set(e, EX_USAGE_ERROR, "%s: --%s is for another kind of evidence",
			       kinds[o->kind].name, row->name);
	if (row->shape == FLAG && equals != NULL)
		return err_set(e, EX_USAGE_ERROR, "--%s: takes no value", row->name);
	if (row->shape == FLAG || equals != NULL)
		return store(o, row, equals != NULL ? equals + 1 : NULL, e);
	if (*i + 1 == argc)
		return err_set(e, EX_USAGE_ERROR, "--%s: its value is missing", row->name);
	return store(o, row, argv[++*i], e);
}

static int take_hex(const char *name, const char *text, size_t least, size_t most, uint8_t *out,
		    size_t *size, struct err *e)
{
	size_t n = text == NULL ? 0 : strlen(text) / 2;

	*size = n;
	if (text == NULL || (n >= least && n <= most && hex_decode(text, out, n)))
		return 0;
	if (least == most)
		return err_set(e, EX_USAGE_ERROR, "%s: give %zu bytes in hexadecimal", name, most);
	return err_set(e, EX_USAGE_ERROR, "%s: give %zu to %zu bytes in hexadecimal", name, least,
		       most);
}

static int take_values(struct options *o, struct err *e)
{
	uint64_t version = 0;
	int64_t now;
	size_t n;
	/* Who makes a bare TPM quote chooses its extraData alone: any length is met. */
	size_t least = o->kind == REQUEST_TPM ? 1 : BINDING_NONCE_MIN;
	int r = take_hex("nonce", o->nonce_text, least, BINDING_NONCE_MAX, o->nonce, &o->nonce_size,
			 e);

	if (r == 0)
		r = take_hex("report-data", o->report_data_text, sizeof(o->report_data),
			     sizeof(o->report_data), o->report_data, &n, e);
	if (r == 0 && o->nonce_text != NULL && o->report_data_text != NULL)
		return err_set(e, EX_USAGE_ERROR,
			       "give --nonce or --report-data: each says what REPORT_DATA must be");
	if (r == 0 && o->version_text != NULL)
		r = args_u64("--allow-report-version", o->version_text, UINT32_MAX, &version, e);
	if (r < 0)
		return r;
	o->allow_report_version = (uint32_t)version;
	if (o->time_text == NULL)
		return 0;
	if (!rfc3339_parse(o->time_text, &now))
		return err_set(e, EX_USAGE_ERROR,
			       "time: give it as 2026-01-31T12:00:00Z or 2026-01-31T13:00:00+01:00");
	o->now = (time_t)now;
	return 0;
}

static int take_kind(const char *name, struct options *o, struct err *e)
{
	for (unsigned i = 0; name != NULL && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].name, name) == 0) {
			o->kind = (enum request_kind)i;
			return 0;
		}
	return err_set(e, EX_USAGE_ERROR,
		       "%s: unknown kind of evidence: give \"bundle\", \"snp\", \"tdx\" or \"tpm\" "
		       "(try --help)",
		       name != NULL ? name : "(nothing)");
}

static int check_complete(const struct options *o, struct err *e)
{
	if (o->evidence == NULL && o->kind == REQUEST_BUNDLE)
		return err_set(e, EX_USAGE_ERROR, "bundle: give one evidence file: try --help");
	if (o->evidence == NULL)
		return err_set(e, EX_USAGE_ERROR, "%s: give --%s F: try --help",
			       kinds[o->kind].name, kinds[o->kind].evidence);
	if (o->kind == REQUEST_TPM && (o->signature == NULL || o->ak == NULL))
		return err_set(e, EX_USAGE_ERROR, "tpm: give --signature F and --ak F");
	return 0;
}

int options_parse(int argc, char **argv, struct options *o, struct err *e)
{
	*o = (struct options){ .now = time(NULL) };
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--help") == 0) {
			o->help = true;
			return 0;
		}
	int r = take_kind(argc > 1 ? argv[1] : NULL, o, e);
	for (int i = 2; r == 0 && i < argc; i++) {
		if (strncmp(argv[i], "--", 2) == 0)
			r = take_option(o, argc, argv, &i, e);
		else if (kinds[o->kind].evidence != NULL || o->evidence != NULL)
			r = err_set(e, EX_USAGE_ERROR, "%s: one argument too many: try --help",
				    argv[i]);
		else
			o->evidence = argv[i];
	}
	if (r == 0)
		r = check_complete(o, e);
	return r == 0 ? take_values(o, e) : r;
}
