#include "attest/measure/options.h"

#include "attest/measure/size.h"
#include "common/plan.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

const char measure_usage[] =
	"usage: pavise measure plain --firmware F --kernel F --plan F [options]\n"
	"       pavise measure snp --firmware F --kernel F [--plan F] [options]\n"
	"\n"
	"Makes the launch plan of a virtual machine and prints what it will measure: the PCR\n"
	"values of a plain machine, the launch digest of an SEV-SNP guest.\n"
	"\n"
	"  --firmware F    firmware image (pavise-fw-plain, pavise-fw-snp)\n"
	"  --kernel F      Linux bzImage\n"
	"  --initrd F      initial RAM disk\n"
	"  --append TEXT   kernel command line, as it is: nothing is added\n"
	"  --plan F        where to write the plan (replaced whole or not at all)\n"
	"  --no-vtpm       allow a machine without TPM; predict no PCR values\n"
	"  --memory SIZE   RAM of the machine, a multiple of 2M (512M)\n"
	"  --json          machine-readable output, docs/PROTOCOL.measure\n"
	"  --help          this text\n"
	"\n"
	"Plain machines. Memory, processors and slots reach PCR 1 and are not part of the plan:\n"
	"  --cpus N        processors (1)\n"
	"  --max-cpus N    processors the plan allows at most (64)\n"
	"  --pci-slots N   virtio devices (2: one disk and the agent's channel)\n"
	"  --log F         also write the event log to expect\n"
	"\n"
	"SEV-SNP guests. Memory is not measured, only checked against the least that is needed:\n"
	"  --cpus N        processors, exactly (1): their start states are measured\n"
	"  --policy HEX    guest policy, in the plan and the report but not in the digest (30000)\n"
	"  --id-block F    also write the ID block to sign, 96 bytes\n"
	"  --explain       print every measured page and the launch digest after it\n"
	"\n"
	"Exit status: 0 done, 3 a file breaks its format, 5 a file cannot be read or written,\n"
	"64 wrong option or value.\n";

static int parse_count(const char *what, const char *text, uint32_t max, uint32_t *out,
		       struct err *e)
{
	char *end;
	unsigned long v = strtoul(text, &end, 10);

	if (text[0] < '0' || text[0] > '9' || *end != '\0' || v > max)
		return err_set(e, EX_USAGE_ERROR, "%s: %s: give a number of at most %u", what, text,
			       max);
	*out = (uint32_t)v;
	return 0;
}

static int parse_policy(const char *text, uint64_t *out, struct err *e)
{
	const char *digits = strncmp(text, "0x", 2) == 0 ? text + 2 : text;
	size_t n = strlen(digits);

	if (n == 0 || n > 16 || strspn(digits, "0123456789abcdefABCDEF") != n)
		return err_set(e, EX_USAGE_ERROR,
			       "policy: %s: give 1 to 16 hexadecimal digits, as in 30000", text);
	*out = strtoull(digits, NULL, 16);
	return 0;
}

enum {
	OPT_FIRMWARE = 256,
	OPT_KERNEL,
	OPT_INITRD,
	OPT_APPEND,
	OPT_PLAN,
	OPT_LOG,
	OPT_CPUS,
	OPT_MEMORY,
	OPT_MAX_CPUS,
	OPT_PCI_SLOTS,
	OPT_POLICY,
	OPT_ID_BLOCK,
	OPT_EXPLAIN,
	OPT_NO_VTPM,
	OPT_JSON,
	OPT_HELP
};

static const struct option long_options[] = {
	{ "firmware", required_argument, NULL, OPT_FIRMWARE },
	{ "kernel", required_argument, NULL, OPT_KERNEL },
	{ "initrd", required_argument, NULL, OPT_INITRD },
	{ "append", required_argument, NULL, OPT_APPEND },
	{ "plan", required_argument, NULL, OPT_PLAN },
	{ "log", required_argument, NULL, OPT_LOG },
	{ "cpus", required_argument, NULL, OPT_CPUS },
	{ "memory", required_argument, NULL, OPT_MEMORY },
	{ "max-cpus", required_argument, NULL, OPT_MAX_CPUS },
	{ "pci-slots", required_argument, NULL, OPT_PCI_SLOTS },
	{ "policy", required_argument, NULL, OPT_POLICY },
	{ "id-block", required_argument, NULL, OPT_ID_BLOCK },
	{ "explain", no_argument, NULL, OPT_EXPLAIN },
	{ "no-vtpm", no_argument, NULL, OPT_NO_VTPM },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "help", no_argument, NULL, OPT_HELP },
	{ NULL, 0, NULL, 0 },
};

/* Where a text or a switch goes; the rest have values to parse. */
static const char **text_of(int option, struct measure_options *o)
{
	switch (option) {
	case OPT_FIRMWARE:
		return &o->firmware;
	case OPT_KERNEL:
		return &o->kernel;
	case OPT_INITRD:
		return &o->initrd;
	case OPT_APPEND:
		return &o->append;
	case OPT_PLAN:
		return &o->plan;
	case OPT_LOG:
		return &o->log;
	case OPT_ID_BLOCK:
		return &o->id_block;
	default:
		return NULL;
	}
}

static int *switch_of(int option, struct measure_options *o)
{
	switch (option) {
	case OPT_EXPLAIN:
		return &o->explain;
	case OPT_NO_VTPM:
		return &o->no_vtpm;
	case OPT_JSON:
		return &o->json;
	case OPT_HELP:
		return &o->help;
	default:
		return NULL;
	}
}

static int take_value(int option, const char *value, struct measure_options *o, struct err *e)
{
	switch (option) {
	case OPT_MEMORY:
		return size_parse("memory", value, &o->machine.memory, e);
	case OPT_CPUS:
		return parse_count("cpus", value, FW_BOOT_CPU_MAX, &o->machine.cpus, e);
	case OPT_MAX_CPUS:
		o->has_max_cpus = 1;
		return parse_count("max-cpus", value, FW_BOOT_CPU_MAX, &o->max_cpus, e);
	case OPT_PCI_SLOTS:
		o->has_pci_slots = 1;
		return parse_count("pci-slots", value, PCI_SLOT_MAX, &o->machine.pci_slots, e);
	case OPT_POLICY:
		o->has_policy = 1;
		return parse_policy(value, &o->policy, e);
	default:
		return err_set(e, EX_USAGE_ERROR, "unknown or incomplete option: try --help");
	}
}

static int take_option(int option, const char *value, struct measure_options *o, struct err *e)
{
	const char **text = text_of(option, o);
	int *flag = switch_of(option, o);

	if (text == NULL && flag == NULL)
		return take_value(option, value, o, e);
	if (text != NULL)
		*text = value;
	else
		*flag = 1;
	return 0;
}

/* An option that would change nothing is a mistake that must not pass. */
static int check_kind(const struct measure_options *o, struct err *e)
{
	int plain_only = o->log != NULL || o->has_max_cpus || o->has_pci_slots;
	int snp_only = o->has_policy || o->id_block != NULL || o->explain;

	if (o->snp && plain_only)
		return err_set(e, EX_USAGE_ERROR,
			       "--log, --max-cpus and --pci-slots are for \"plain\" machines only");
	if (!o->snp && snp_only)
		return err_set(e, EX_USAGE_ERROR,
			       "--policy, --id-block and --explain are for \"snp\" guests only");
	if (o->firmware == NULL || o->kernel == NULL || (o->plan == NULL && !o->snp))
		return err_set(e, EX_USAGE_ERROR, "--firmware, --kernel%s needed: try --help",
			       o->snp ? " are" : " and --plan are");
	return 0;
}

int measure_options_parse(int argc, char **argv, struct measure_options *o, struct err *e)
{
	int c, r = 0;

	*o = (struct measure_options){
		.append = "",
		.max_cpus = 64,
		.policy = PLAN_SNP_POLICY,
		.machine = { .memory = 512u << 20, .cpus = 1, .pci_slots = 2 },
	};
	opterr = 0;
	while (r == 0 && (c = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		r = take_option(c, optarg, o, e);
	if (r < 0 || o->help)
		return r;
	const char *kind = optind < argc ? argv[optind] : "(nothing)";
	o->snp = strcmp(kind, "snp") == 0;
	if (!o->snp && strcmp(kind, "plain") != 0)
		return err_set(
			e, EX_USAGE_ERROR,
			"%s: unknown kind of machine: give \"plain\" or \"snp\" (try --help)",
			kind);
	if (optind + 1 < argc)
		return err_set(e, EX_USAGE_ERROR, "%s: unexpected argument: try --help",
			       argv[optind + 1]);
	return check_kind(o, e);
}
