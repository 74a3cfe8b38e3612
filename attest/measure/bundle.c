#include "attest/measure/bundle.h"

#include "attest/measure/bundle_items.h"
#include "attest/measure/bundle_sign.h"
#include "attest/measure/references_value.h"
#include "attest/measure/report.h"
#include "attest/measure/size.h"
#include "attest/x509/when.h"
#include "common/args.h"
#include "common/bytes.h"
#include "common/file.h"
#include "common/plan.h"
#include "firmware/layout.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
	"usage: pavise measure bundle create --key PEM --output F [options] [PLAN|JSON ...]\n"
	"       pavise measure bundle show F [--key-digest | --json]\n"
	"\n"
	"Makes one signed file of what machines with a firmware may measure: of launch plans, of\n"
	"output of \"pavise measure ... --json\", and of values given. docs/PROTOCOL.references.\n"
	"\n"
	"  --key PEM        private key, ECDSA P-384 or Ed25519, not encrypted\n"
	"  --output F       the bundle (replaced whole or not at all)\n"
	"  --svn N          security version of the firmware; plans have their own, which must be\n"
	"                   this one\n"
	"  --not-after T    when the values stop to count, as 2027-01-31T12:00:00Z\n"
	"  --value KIND:HEX a launch digest (snp:...) or MRTD (tdx:...); may be repeated\n"
	"  --label TEXT     what people read beside each value (the file's name)\n"
	"  --cpus N,... --memory SIZE,... --pci-slots N,...   what plans are predicted for: every\n"
	"                   combination of those that reach a measurement (1; 512M; 2). Numbers may\n"
	"                   be ranges, as 1-64. SEV-SNP plans that leave their processors open: --cpus\n"
	"                   alone, absent: all they serve\n"
	"\n"
	"show checks that the key in the file signed it. Whose key that is, only its digest says, "
	"which\n"
	"--key-digest prints for a policy to pin; --json prints the signed text.\n"
	"\n"
	"Exit status: 0 done, 2 the signature is wrong, 3 a file breaks its format, 5 a file "
	"cannot be\n"
	"read or written, 64 wrong option or value.\n";

#define GIVEN_MAX 64u

struct options {
	const char *key, *output, *svn, *not_after, *label, *given[GIVEN_MAX];
	size_t given_count;
	int key_digest, json, help;
	struct bundle_machines machines;
};

/* Where parsed values go. */
struct list {
	const char *what, *text; /* for errors: option and its value */
	uint64_t *out;		 /* BUNDLE_CHOICES_MAX */
	size_t *count;
};

static int too_many(const struct list *l, struct err *e)
{
	return err_set(e, EX_USAGE_ERROR, "%s: %s: give 1 to %u values with commas between", l->what,
		       l->text, BUNDLE_CHOICES_MAX);
}

/* A number, or two with a hyphen between: all from the first to the second. */
static int parse_numbers(const struct list *l, char *one, uint64_t most, struct err *e)
{
	char *hyphen = strchr(one, '-');
	uint64_t first = 0, last = 0;

	if (hyphen != NULL)
		*hyphen = '\0';
	int r = args_u64(l->what, one, most, &first, e);
	last = first;
	if (r == 0 && hyphen != NULL)
		r = args_u64(l->what, hyphen + 1, most, &last, e);
	if (r == 0 && last < first)
		return err_set(e, EX_USAGE_ERROR, "%s: %s: a range that goes backwards", l->what,
			       l->text);
	if (r == 0 && last - first >= BUNDLE_CHOICES_MAX - *l->count)
		return too_many(l, e);
	for (uint64_t n = first; r == 0 && n <= last; n++)
		l->out[(*l->count)++] = n;
	return r;
}

/* most 0: sizes of memory. */
static int parse_list(const struct list *l, uint64_t most, struct err *e)
{
	const char *p = l->text;
	int r = 0;

	for (*l->count = 0; r == 0 && p != NULL;
	     p = strchr(p, ',') == NULL ? NULL : strchr(p, ',') + 1) {
		size_t n = strcspn(p, ",");
		char one[32];
		if (n == 0 || n >= sizeof(one) || *l->count == BUNDLE_CHOICES_MAX)
			return too_many(l, e);
		memcpy(one, p, n);
		one[n] = '\0';
		r = most == 0 ? size_parse(l->what, one, &l->out[(*l->count)++], e)
			      : parse_numbers(l, one, most, e);
	}
	return r;
}

static int take_option(int option, const char *value, struct options *o, struct err *e)
{
	struct bundle_machines *m = &o->machines;

	switch (option) {
	case 'k':
		o->key = value;
		return 0;
	case 'o':
		o->output = value;
		return 0;
	case 's':
		o->svn = value;
		return 0;
	case 'n':
		o->not_after = value;
		return 0;
	case 'l':
		o->label = value;
		return 0;
	case 'v':
		if (o->given_count == GIVEN_MAX)
			return err_set(e, EX_USAGE_ERROR, "value: given more than %u times",
				       GIVEN_MAX);
		o->given[o->given_count++] = value;
		return 0;
	case 'c':
		return parse_list(&(struct list){ "cpus", value, m->cpus, &m->cpus_count },
				  FW_BOOT_CPU_MAX, e);
	case 'm':
		return parse_list(&(struct list){ "memory", value, m->memory, &m->memory_count }, 0,
				  e);
	case 'p':
		return parse_list(&(struct list){ "pci-slots", value, m->pci_slots,
						  &m->pci_slots_count },
				  PCI_SLOT_MAX, e);
	default:
		return err_set(e, EX_USAGE_ERROR,
			       "unknown or incomplete option: try pavise measure bundle --help");
	}
}

static int parse(int argc, char **argv, struct options *o, struct err *e)
{
	static const struct option longs[] = {
		{ "key", required_argument, NULL, 'k' },
		{ "output", required_argument, NULL, 'o' },
		{ "svn", required_argument, NULL, 's' },
		{ "not-after", required_argument, NULL, 'n' },
		{ "label", required_argument, NULL, 'l' },
		{ "value", required_argument, NULL, 'v' },
		{ "cpus", required_argument, NULL, 'c' },
		{ "memory", required_argument, NULL, 'm' },
		{ "pci-slots", required_argument, NULL, 'p' },
		{ "key-digest", no_argument, NULL, 'd' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int c, r = 0;

	*o = (struct options){ .machines = { .memory = { 512u << 20 },
					     .pci_slots = { 2 },
					     .memory_count = 1,
					     .pci_slots_count = 1 } };
	opterr = 0;
	while (r == 0 && (c = getopt_long(argc, argv, "o:", longs, NULL)) != -1) {
		if (c == 'd')
			o->key_digest = 1;
		else if (c == 'j')
			o->json = 1;
		else if (c == 'h')
			o->help = 1;
		else
			r = take_option(c, optarg, o, e);
	}
	return r;
}

static int add_items(const struct options *o, struct bundle_items *items, int argc, char **argv,
		     struct err *e)
{
	int r = 0;

	for (int i = 0; r == 0 && i < argc; i++)
		r = bundle_add_file(items, argv[i], e);
	for (size_t i = 0; r == 0 && i < o->given_count; i++)
		r = bundle_add_text(items, o->given[i], e);
	if (r == 0 && items->r->count == 0)
		return err_set(e, EX_USAGE_ERROR,
			       "bundle: no values: give a plan, the output of "
			       "\"pavise measure --json\" or --value");
	if (r == 0 && !items->has_svn)
		return err_set(e, EX_USAGE_ERROR,
			       "bundle: no security version: no plan says it, give --svn");
	return r;
}

static int write_bundle(const struct options *o, struct references *r, struct err *e)
{
	r->text = references_write_text(r);
	if (r->text == NULL)
		return err_set(e, EX_HOST, "bundle: out of memory");
	r->text_size = strlen(r->text);
	if (r->text_size > REFERENCES_TEXT_MAX)
		return err_set(e, EX_USAGE_ERROR,
			       "bundle: %zu bytes of values: at most %u fit in one", r->text_size,
			       REFERENCES_TEXT_MAX);
	int status = bundle_sign(o->key, r, e);
	if (status < 0)
		return status;
	char *file = bundle_file(r);
	if (file == NULL)
		return err_set(e, EX_HOST, "bundle: out of memory");
	status = file_write("bundle", o->output, file, strlen(file), 0644, e);
	free(file);
	return status;
}

static int create(const struct options *o, int argc, char **argv, struct err *e)
{
	struct references r = { 0 };
	struct bundle_items items = { .r = &r, .machines = &o->machines, .label = o->label };
	uint64_t svn = 0;
	int status = 0;

	if (o->key == NULL || o->output == NULL || o->key_digest || o->json)
		return err_set(e, EX_USAGE_ERROR,
			       "bundle create: needs --key and --output, takes no --key-digest or "
			       "--json: try --help");
	if (o->svn != NULL)
		status = args_u64("svn", o->svn, UINT32_MAX, &svn, e);
	r.svn = (uint32_t)svn;
	items.has_svn = o->svn != NULL;
	r.has_not_after = o->not_after != NULL;
	if (status == 0 && r.has_not_after && !when_parse(o->not_after, &r.not_after))
		status = err_set(e, EX_USAGE_ERROR,
				 "not-after: %s: give a time like 2027-01-31T12:00:00Z",
				 o->not_after);
	r.value = calloc(REFERENCES_VALUES_MAX, sizeof(*r.value));
	if (status == 0 && r.value == NULL)
		status = err_set(e, EX_HOST, "out of memory");
	if (status == 0)
		status = add_items(o, &items, argc, argv, e);
	if (status == 0)
		status = write_bundle(o, &r, e);
	if (status == 0)
		printf("bundle %s: %zu values, security version %u\n", o->output, r.count, r.svn);
	references_free(&r);
	return status < 0 ? status : report_flush(stdout, e);
}

static void show_value(const struct reference_value *v)
{
	char hex[2 * REFERENCES_DIGEST_SIZE + 1];

	hex_encode(v->digest, sizeof(v->digest), hex);
	printf("%-7s ", reference_tee_name(v->tee));
	if (v->tee != REFERENCE_NONE)
		fputs(hex, stdout);
	else
		printf("PCR 0..7%s%s", v->bank[REFERENCE_SHA256] ? " sha256" : "",
		       v->bank[REFERENCE_SHA384] ? " sha384" : "");
	if (v->cpus != 0)
		printf(", %u cpus", v->cpus);
	if (v->memory != 0)
		printf(", %llu MiB, %u PCI slots", (unsigned long long)(v->memory >> 20),
		       v->pci_slots);
	if (v->tee == REFERENCE_TDX && (v->has_rtmr[0] || v->has_rtmr[1]))
		printf(", with%s%s", v->has_rtmr[0] ? " RTMR 0" : "",
		       v->has_rtmr[1] ? " RTMR 1" : "");
	if (v->has_policy)
		printf(", guest policy 0x%llx", (unsigned long long)v->policy);
	printf("  %s\n", v->label);
}

static int show(const struct options *o, const char *path, struct err *e)
{
	char hex[2 * REFERENCES_DIGEST_SIZE + 1], until[WHEN_TEXT_SIZE] = "never";
	uint8_t digest[REFERENCES_DIGEST_SIZE];
	struct references r = { 0 };
	void *data = NULL;
	size_t size = 0;
	int status = file_read("bundle", path, REFERENCES_FILE_MAX, 0, &data, &size, e);

	if (status == 0)
		status = references_parse(path, data, size, &r, e);
	if (status == 0)
		status = references_verify(path, &r, NULL, e);
	if (status == 0)
		status = references_key_digest(&r, digest, e);
	if (status == 0) {
		hex_encode(digest, sizeof(digest), hex);
		if (r.has_not_after)
			when_text(r.not_after, until);
		if (o->key_digest)
			puts(hex);
		else if (o->json)
			puts(r.text);
		else
			printf("key %s\nsecurity version %u, expires %s, %zu values\n", hex, r.svn,
			       until, r.count);
		for (size_t i = 0; !o->key_digest && !o->json && i < r.count; i++)
			show_value(&r.value[i]);
		status = report_flush(stdout, e);
	}
	references_free(&r);
	free(data);
	return status;
}

int bundle_command(int argc, char **argv, struct err *e)
{
	struct options o;
	int r = parse(argc, argv, &o, e);

	if (r < 0)
		return r;
	if (o.help) {
		fputs(usage, stdout);
		return report_flush(stdout, e);
	}
	const char *what = optind < argc ? argv[optind] : "(nothing)";
	if (strcmp(what, "create") == 0)
		return create(&o, argc - optind - 1, argv + optind + 1, e);
	if (strcmp(what, "show") != 0 || optind + 2 != argc || o.key != NULL || o.output != NULL)
		return err_set(e, EX_USAGE_ERROR,
			       "bundle: %s: give create or show and a file: try pavise measure "
			       "bundle --help",
			       what);
	return show(&o, argv[optind + 1], e);
}
