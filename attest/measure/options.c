#include "attest/measure/options.h"

#include "attest/measure/ovmf/cpu_type.h"
#include "attest/measure/ovmf/launch.h"
#include "attest/measure/size.h"
#include "common/bytes.h"
#include "common/plan.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEARCH_CPUS 64u /* tried when nobody says how many */

const char measure_usage[] =
	"usage: pavise measure plain --firmware F --kernel F --plan F [options]\n"
	"       pavise measure snp --firmware F --kernel F [--plan F] [options]\n"
	"       pavise measure snp --vmm qemu --firmware F --vcpus N --vcpu-type T [options]\n"
	"       pavise measure tdx --firmware F --kernel F [--plan F] [options]\n"
	"       pavise measure tdx --vmm qemu --firmware F [options]\n"
	"       pavise measure bundle create|show (--help says more)\n"
	"\n"
	"Says what a virtual machine will measure: the PCR values of a plain machine, the launch\n"
	"digest of an SEV-SNP guest, MRTD and RTMR 0 and 1 of a trust domain. For pavise's own\n"
	"machines it makes the launch plan.\n"
	"\n"
	"  --firmware F    firmware image (pavise-fw-plain, -snp, -tdx, OVMF, TDVF)\n"
	"  --kernel F      Linux bzImage\n"
	"  --initrd F      initial RAM disk\n"
	"  --append TEXT   kernel command line, as it is: nothing is added\n"
	"  --json          machine-readable output, docs/PROTOCOL.measure\n"
	"  --explain       SEV-SNP, TDX: print every measured page and the digest after it\n"
	"  --help          this text\n"
	"\n"
	"Plain machines. Memory, processors and slots reach PCR 1 and are not part of the plan:\n"
	"  --plan F        where to write the plan (replaced whole or not at all)\n"
	"  --no-vtpm       allow a machine without TPM; predict no PCR values\n"
	"  --memory SIZE   RAM of the machine, a multiple of 2M (512M)\n"
	"  --vcpus N       processors (1); --cpus is the same\n"
	"  --max-cpus N    processors the plan allows at most (64)\n"
	"  --pci-slots N   virtio devices (2: one disk and the agent's channel)\n"
	"  --log F         also write the event log to expect\n"
	"\n"
	"SEV-SNP guests of pavise. Memory is not measured, only checked against the least needed:\n"
	"  --plan, --no-vtpm, --memory as above\n"
	"  --vcpus N       processors (1): their start states are measured\n"
	"  --max-cpus N    the plan serves 1 to N; the digest is that of --vcpus. Absent: --vcpus,\n"
	"                  exactly\n"
	"  --policy HEX    guest policy, in the plan and the report but not in the digest (30000)\n"
	"  --id-block F    also write the ID block to sign, 96 bytes\n"
	"\n"
	"SEV-SNP guests of QEMU (--vmm qemu) with OVMF. With --kernel as for kernel-hashes=on:\n"
	"  --vcpus N       processors, exactly\n"
	"  --vcpu-type T   QEMU's model: EPYC, EPYC-v4, EPYC-Rome, -Milan, -Genoa, -Turin, ...\n"
	"  --vcpu-sig HEX  instead: CPUID leaf 1 EAX of the processor\n"
	"  --guest-features HEX   SEV_FEATURES (1)\n"
	"  --firmware-digest HEX  the launch digest after the firmware's pages, instead of them\n"
	"  --search --expect HEX  find the number of processors (up to --vcpus, 64), model, "
	"features,\n"
	"                  kernel hashes or not, that give this launch digest\n"
	"\n"
	"Trust domains of pavise. Memory, processors and slots reach RTMR 0, not MRTD:\n"
	"  --plan, --no-vtpm, --memory, --vcpus, --max-cpus, --pci-slots, --log as for plain "
	"machines\n"
	"  --xfam HEX      features the guest may use: XCR0 and XSS bits (e7)\n"
	"\n"
	"Trust domains of QEMU (--vmm qemu), or of another VMM, with TDVF:\n"
	"  --page-order single|two-pass   each page added, then measured (Linux), or all pages of "
	"a\n"
	"                  section first (older hosts); absent: single\n"
	"\n"
	"Exit status: 0 done, 1 the search found nothing, 3 a file breaks its format, 5 a file "
	"cannot\n"
	"be read or written, 64 wrong option or value.\n";

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

static int parse_number(const char *what, const char *text, uint64_t most, uint64_t *out,
			struct err *e)
{
	const char *digits = strncmp(text, "0x", 2) == 0 ? text + 2 : text;
	size_t n = strlen(digits);

	if (n == 0 || n > 16 || strspn(digits, "0123456789abcdefABCDEF") != n ||
	    strtoull(digits, NULL, 16) > most)
		return err_set(e, EX_USAGE_ERROR,
			       "%s: %s: give 1 to %d hexadecimal digits, as in 30000", what, text,
			       most > UINT32_MAX ? 16 : 8);
	*out = strtoull(digits, NULL, 16);
	return 0;
}

static int parse_digest(const char *what, const char *text, int *given, uint8_t out[48],
			struct err *e)
{
	*given = 1;
	if (strlen(text) != 96 || !hex_decode(text, out, 48))
		return err_set(e, EX_USAGE_ERROR, "%s: give 48 bytes in hexadecimal", what);
	return 0;
}

static int parse_signature(const char *text, struct measure_options *o, struct err *e)
{
	uint64_t value = 0;
	int r = parse_number("vcpu-sig", text, UINT32_MAX, &value, e);

	o->cpu_signature = (uint32_t)value;
	o->has_signature++;
	return r;
}

static int parse_type(const char *text, struct measure_options *o, struct err *e)
{
	o->has_signature++;
	if (cpu_type_signature(text, &o->cpu_signature))
		return 0;
	return err_set(e, EX_USAGE_ERROR,
		       "vcpu-type: %s: unknown model: give one of --help, or --vcpu-sig", text);
}

static int parse_vmm(const char *text, int *qemu, struct err *e)
{
	*qemu = strcmp(text, "qemu") == 0;
	if (*qemu || strcmp(text, "pavise") == 0)
		return 0;
	return err_set(e, EX_USAGE_ERROR,
		       "vmm: %s: its launches cannot be predicted: give pavise or qemu", text);
}

static int parse_order(const char *text, int *two_pass, struct err *e)
{
	*two_pass = strcmp(text, "two-pass") == 0;
	if (*two_pass || strcmp(text, "single") == 0)
		return 0;
	return err_set(e, EX_USAGE_ERROR, "page-order: %s: give single or two-pass", text);
}

enum {
	OPT_FIRST = 256,
	OPT_FIRMWARE = OPT_FIRST,
	OPT_KERNEL,
	OPT_INITRD,
	OPT_APPEND,
	OPT_PLAN,
	OPT_LOG,
	OPT_CPUS,
	OPT_VCPUS,
	OPT_MEMORY,
	OPT_MAX_CPUS,
	OPT_PCI_SLOTS,
	OPT_POLICY,
	OPT_XFAM,
	OPT_ID_BLOCK,
	OPT_VMM,
	OPT_VCPU_TYPE,
	OPT_VCPU_SIG,
	OPT_GUEST_FEATURES,
	OPT_FIRMWARE_DIGEST,
	OPT_EXPECT,
	OPT_PAGE_ORDER,
	OPT_SEARCH,
	OPT_EXPLAIN,
	OPT_NO_VTPM,
	OPT_JSON,
	OPT_HELP
};

/* Which kinds of measurement an option is for. */
enum {
	PLAIN = 1 << MEASURE_PLAIN,
	SNP = 1 << MEASURE_SNP,
	QEMU = 1 << MEASURE_QEMU,
	TDX = 1 << MEASURE_TDX,
	TDVF = 1 << MEASURE_TDVF,
	OURS = PLAIN | SNP | TDX,
	ALL = OURS | QEMU | TDVF
};

static const char *const kind_names[MEASURE_KINDS] = { "plain", "snp", "snp --vmm qemu", "tdx",
							 "tdx --vmm qemu" };

static const struct option long_options[] = {
	{ "firmware", required_argument, NULL, OPT_FIRMWARE },
	{ "kernel", required_argument, NULL, OPT_KERNEL },
	{ "initrd", required_argument, NULL, OPT_INITRD },
	{ "append", required_argument, NULL, OPT_APPEND },
	{ "plan", required_argument, NULL, OPT_PLAN },
	{ "log", required_argument, NULL, OPT_LOG },
	{ "cpus", required_argument, NULL, OPT_CPUS },
	{ "vcpus", required_argument, NULL, OPT_VCPUS },
	{ "memory", required_argument, NULL, OPT_MEMORY },
	{ "max-cpus", required_argument, NULL, OPT_MAX_CPUS },
	{ "pci-slots", required_argument, NULL, OPT_PCI_SLOTS },
	{ "policy", required_argument, NULL, OPT_POLICY },
	{ "xfam", required_argument, NULL, OPT_XFAM },
	{ "id-block", required_argument, NULL, OPT_ID_BLOCK },
	{ "vmm", required_argument, NULL, OPT_VMM },
	{ "vcpu-type", required_argument, NULL, OPT_VCPU_TYPE },
	{ "vcpu-sig", required_argument, NULL, OPT_VCPU_SIG },
	{ "guest-features", required_argument, NULL, OPT_GUEST_FEATURES },
	{ "firmware-digest", required_argument, NULL, OPT_FIRMWARE_DIGEST },
	{ "expect", required_argument, NULL, OPT_EXPECT },
	{ "page-order", required_argument, NULL, OPT_PAGE_ORDER },
	{ "search", no_argument, NULL, OPT_SEARCH },
	{ "explain", no_argument, NULL, OPT_EXPLAIN },
	{ "no-vtpm", no_argument, NULL, OPT_NO_VTPM },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "help", no_argument, NULL, OPT_HELP },
	{ NULL, 0, NULL, 0 },
};

/* In the order of long_options. */
static const unsigned option_kinds[] = {
	[OPT_FIRMWARE - OPT_FIRST] = ALL,
	[OPT_KERNEL - OPT_FIRST] = OURS | QEMU,
	[OPT_INITRD - OPT_FIRST] = OURS | QEMU,
	[OPT_APPEND - OPT_FIRST] = OURS | QEMU,
	[OPT_PLAN - OPT_FIRST] = OURS,
	[OPT_LOG - OPT_FIRST] = PLAIN | TDX,
	[OPT_CPUS - OPT_FIRST] = OURS | QEMU,
	[OPT_VCPUS - OPT_FIRST] = OURS | QEMU,
	[OPT_MEMORY - OPT_FIRST] = OURS,
	[OPT_MAX_CPUS - OPT_FIRST] = OURS,
	[OPT_PCI_SLOTS - OPT_FIRST] = PLAIN | TDX,
	[OPT_POLICY - OPT_FIRST] = SNP,
	[OPT_XFAM - OPT_FIRST] = TDX,
	[OPT_ID_BLOCK - OPT_FIRST] = SNP,
	[OPT_VMM - OPT_FIRST] = SNP | QEMU | TDX | TDVF,
	[OPT_VCPU_TYPE - OPT_FIRST] = QEMU,
	[OPT_VCPU_SIG - OPT_FIRST] = QEMU,
	[OPT_GUEST_FEATURES - OPT_FIRST] = QEMU,
	[OPT_FIRMWARE_DIGEST - OPT_FIRST] = QEMU,
	[OPT_EXPECT - OPT_FIRST] = QEMU,
	[OPT_PAGE_ORDER - OPT_FIRST] = TDVF,
	[OPT_SEARCH - OPT_FIRST] = QEMU,
	[OPT_EXPLAIN - OPT_FIRST] = SNP | QEMU | TDX | TDVF,
	[OPT_NO_VTPM - OPT_FIRST] = OURS,
	[OPT_JSON - OPT_FIRST] = ALL,
	[OPT_HELP - OPT_FIRST] = ALL,
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
	case OPT_SEARCH:
		return &o->search;
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

static int take_value(int option, const char *value, struct measure_options *o, int *qemu,
		      struct err *e)
{
	switch (option) {
	case OPT_MEMORY:
		return size_parse("memory", value, &o->machine.memory, e);
	case OPT_CPUS:
	case OPT_VCPUS:
		o->has_cpus++;
		return parse_count("cpus", value, OVMF_CPUS_MAX, &o->machine.cpus, e);
	case OPT_MAX_CPUS:
		o->has_max_cpus = 1;
		return parse_count("max-cpus", value, FW_BOOT_CPU_MAX, &o->max_cpus, e);
	case OPT_PCI_SLOTS:
		return parse_count("pci-slots", value, PCI_SLOT_MAX, &o->machine.pci_slots, e);
	case OPT_POLICY:
		return parse_number("policy", value, UINT64_MAX, &o->policy, e);
	case OPT_XFAM:
		return parse_number("xfam", value, UINT64_MAX, &o->xfam, e);
	case OPT_VMM:
		return parse_vmm(value, qemu, e);
	case OPT_VCPU_TYPE:
		return parse_type(value, o, e);
	case OPT_VCPU_SIG:
		return parse_signature(value, o, e);
	case OPT_GUEST_FEATURES:
		o->has_features = 1;
		return parse_number("guest-features", value, UINT64_MAX, &o->guest_features, e);
	case OPT_FIRMWARE_DIGEST:
		return parse_digest("firmware-digest", value, &o->has_firmware_digest,
				    o->firmware_digest, e);
	case OPT_EXPECT:
		return parse_digest("expect", value, &o->has_expect, o->expect, e);
	case OPT_PAGE_ORDER:
		return parse_order(value, &o->two_pass, e);
	default:
		return err_set(e, EX_USAGE_ERROR, "unknown or incomplete option: try --help");
	}
}

static int take_option(int option, const char *value, struct measure_options *o, int *qemu,
		       struct err *e)
{
	const char **text = text_of(option, o);
	int *flag = switch_of(option, o);

	if (text == NULL && flag == NULL)
		return take_value(option, value, o, qemu, e);
	if (text != NULL)
		*text = value;
	else
		*flag = 1;
	return 0;
}

/* An option that would change nothing is a mistake that must not pass. */
static int check_options(unsigned long given, enum measure_kind kind, struct err *e)
{
	for (size_t i = 0; i < sizeof(option_kinds) / sizeof(option_kinds[0]); i++) {
		if ((given >> i & 1) == 0 || (option_kinds[i] >> kind & 1) != 0)
			continue;
		char kinds[96] = "";
		for (unsigned k = 0; k < MEASURE_KINDS; k++)
			if ((option_kinds[i] >> k & 1) != 0)
				snprintf(kinds + strlen(kinds), sizeof(kinds) - strlen(kinds),
					 "%s\"%s\"", kinds[0] == '\0' ? "" : ", ", kind_names[k]);
		return err_set(e, EX_USAGE_ERROR, "--%s is for %s only: try --help",
			       long_options[i].name, kinds);
	}
	return 0;
}

static int check_qemu(struct measure_options *o, struct err *e)
{
	if (o->search != o->has_expect)
		return err_set(e, EX_USAGE_ERROR, "--search and --expect go together");
	if (o->search && o->explain)
		return err_set(e, EX_USAGE_ERROR,
			       "--explain: not for a search: give it with what the search found");
	if (o->has_signature > 1)
		return err_set(e, EX_USAGE_ERROR, "give one of --vcpu-type and --vcpu-sig, once");
	if (!o->search && (!o->has_signature || !o->has_cpus))
		return err_set(e, EX_USAGE_ERROR,
			       "--vcpus and --vcpu-type or --vcpu-sig are needed: try --help");
	if (o->machine.cpus == 0)
		return err_set(e, EX_USAGE_ERROR, "cpus: 0: give 1 to %u", OVMF_CPUS_MAX);
	if (o->kernel == NULL && (o->initrd != NULL || (o->append != NULL && o->append[0] != '\0')))
		return err_set(e, EX_USAGE_ERROR, "--initrd and --append are for a --kernel");
	if (o->search && !o->has_cpus)
		o->machine.cpus = SEARCH_CPUS;
	return 0;
}

static int check_needed(struct measure_options *o, struct err *e)
{
	if (o->firmware == NULL)
		return err_set(e, EX_USAGE_ERROR, "--firmware is needed: try --help");
	if (o->kind == MEASURE_QEMU)
		return check_qemu(o, e);
	if (o->kind == MEASURE_TDVF)
		return 0;
	if (o->kernel == NULL || (o->plan == NULL && o->kind == MEASURE_PLAIN))
		return err_set(e, EX_USAGE_ERROR, "--firmware, --kernel%s needed%s: try --help",
			       o->kind == MEASURE_PLAIN ? " and --plan are" : " are",
			       o->kind == MEASURE_TDX ? " (TDVF: --vmm qemu)" : "");
	if (o->machine.cpus > FW_BOOT_CPU_MAX)
		return err_set(e, EX_USAGE_ERROR, "cpus: %u: give a number of at most %u",
			       o->machine.cpus, FW_BOOT_CPU_MAX);
	if (o->append == NULL)
		o->append = "";
	return 0;
}

static int set_kind(const char *name, int qemu, enum measure_kind *kind, struct err *e)
{
	if (strcmp(name, "plain") == 0)
		*kind = MEASURE_PLAIN;
	else if (strcmp(name, "snp") == 0)
		*kind = qemu ? MEASURE_QEMU : MEASURE_SNP;
	else if (strcmp(name, "tdx") == 0)
		*kind = qemu ? MEASURE_TDVF : MEASURE_TDX;
	else
		return err_set(e, EX_USAGE_ERROR,
			       "%s: unknown kind of machine: give \"plain\", \"snp\" or \"tdx\" "
			       "(try --help)",
			       name);
	return 0;
}

int measure_options_parse(int argc, char **argv, struct measure_options *o, struct err *e)
{
	unsigned long given = 0;
	int c, qemu = 0, r = 0;

	*o = (struct measure_options){
		.max_cpus = 64,
		.policy = PLAN_SNP_POLICY,
		.xfam = PLAN_TDX_XFAM,
		.guest_features = 1,
		.machine = { .memory = 512u << 20, .cpus = 1, .pci_slots = 2 },
	};
	opterr = 0;
	while (r == 0 && (c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		r = take_option(c, optarg, o, &qemu, e);
		given |= c >= OPT_FIRST ? 1ul << (c - OPT_FIRST) : 0;
	}
	if (r < 0 || o->help)
		return r;
	r = set_kind(optind < argc ? argv[optind] : "(nothing)", qemu, &o->kind, e);
	if (r == 0 && optind + 1 < argc)
		return err_set(e, EX_USAGE_ERROR, "%s: unexpected argument: try --help",
			       argv[optind + 1]);
	if (r == 0)
		r = check_options(given, o->kind, e);
	return r < 0 ? r : check_needed(o, e);
}
