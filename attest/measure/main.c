/* pavise-measure: makes a launch plan and says what its machine will measure. */
#include "attest/measure/expect.h"
#include "attest/measure/plain.h"
#include "attest/measure/report.h"
#include "attest/measure/size.h"
#include "common/file.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROGRAM "pavise-measure"

static const char usage[] =
	"usage: pavise measure plain --firmware F --kernel F --plan F [options]\n"
	"\n"
	"Makes the launch plan of a plain virtual machine and prints the PCR values to expect.\n"
	"\n"
	"  --firmware F    firmware image (pavise-fw-plain)\n"
	"  --kernel F      Linux bzImage\n"
	"  --initrd F      initial RAM disk\n"
	"  --append TEXT   kernel command line, as it is: nothing is added\n"
	"  --plan F        where to write the plan (replaced whole or not at all)\n"
	"  --max-cpus N    processors the plan allows at most (64)\n"
	"  --log F         also write the event log to expect\n"
	"  --no-vtpm       allow a machine without TPM; predict no PCR values\n"
	"\n"
	"The machine to predict for (these reach PCR 1 and are not part of the plan):\n"
	"  --cpus N        processors (1)\n"
	"  --memory SIZE   RAM, a multiple of 2M (512M)\n"
	"  --pci-slots N   virtio devices (2: one disk and the agent's channel)\n"
	"\n"
	"  --json          machine-readable output, docs/PROTOCOL.measure\n"
	"  --help          this text\n"
	"\n"
	"Exit status: 0 done, 3 a file breaks its format, 5 a file cannot be read or written,\n"
	"64 wrong option or value.\n";

struct options {
	const char *firmware, *kernel, *initrd, *append, *plan, *log;
	struct machine machine;
	uint32_t max_cpus;
	int no_vtpm, json, help;
};

/* The files' bytes, owned. */
struct inputs {
	void *firmware, *kernel, *initrd;
	size_t firmware_size, kernel_size, initrd_size;
};

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
	{ "no-vtpm", no_argument, NULL, OPT_NO_VTPM },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "help", no_argument, NULL, OPT_HELP },
	{ NULL, 0, NULL, 0 },
};

static int take_option(int option, const char *value, struct options *o, struct err *e)
{
	switch (option) {
	case OPT_FIRMWARE:
		o->firmware = value;
		return 0;
	case OPT_KERNEL:
		o->kernel = value;
		return 0;
	case OPT_INITRD:
		o->initrd = value;
		return 0;
	case OPT_APPEND:
		o->append = value;
		return 0;
	case OPT_PLAN:
		o->plan = value;
		return 0;
	case OPT_LOG:
		o->log = value;
		return 0;
	case OPT_NO_VTPM:
		o->no_vtpm = 1;
		return 0;
	case OPT_JSON:
		o->json = 1;
		return 0;
	case OPT_HELP:
		o->help = 1;
		return 0;
	case OPT_MEMORY:
		return size_parse("memory", value, &o->machine.memory, e);
	case OPT_CPUS:
		return parse_count("cpus", value, FW_BOOT_CPU_MAX, &o->machine.cpus, e);
	case OPT_MAX_CPUS:
		return parse_count("max-cpus", value, FW_BOOT_CPU_MAX, &o->max_cpus, e);
	case OPT_PCI_SLOTS:
		return parse_count("pci-slots", value, PCI_SLOT_MAX, &o->machine.pci_slots, e);
	default:
		return err_set(e, EX_USAGE_ERROR, "unknown or incomplete option: try --help");
	}
}

static int parse_options(int argc, char **argv, struct options *o, struct err *e)
{
	int c, r = 0;

	*o = (struct options){ .append = "",
			       .max_cpus = 64,
			       .machine = { .memory = 512u << 20, .cpus = 1, .pci_slots = 2 } };
	while (r == 0 && (c = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		r = take_option(c, optarg, o, e);
	if (r < 0 || o->help)
		return r;
	if (optind >= argc || strcmp(argv[optind], "plain") != 0)
		return err_set(e, EX_USAGE_ERROR,
			       "%s: unknown kind of machine: give \"plain\" (try --help)",
			       optind < argc ? argv[optind] : "(nothing)");
	if (optind + 1 < argc)
		return err_set(e, EX_USAGE_ERROR, "%s: unexpected argument: try --help",
			       argv[optind + 1]);
	if (o->firmware == NULL || o->kernel == NULL || o->plan == NULL)
		return err_set(e, EX_USAGE_ERROR,
			       "--firmware, --kernel and --plan are needed: "
			       "try --help");
	return 0;
}

static int read_inputs(const struct options *o, struct inputs *in, struct err *e)
{
	int r = file_read("firmware", o->firmware, FW_IMAGE_MAX, 0, &in->firmware,
			  &in->firmware_size, e);

	if (r == 0)
		r = file_read("kernel", o->kernel, MEASURE_KERNEL_MAX, 0, &in->kernel,
			      &in->kernel_size, e);
	if (r == 0 && o->initrd != NULL)
		r = file_read("initrd", o->initrd, MEASURE_INITRD_MAX, 0, &in->initrd,
			      &in->initrd_size, e);
	return r;
}

static int write_plan(const char *path, const struct plan *p, struct measure_report *report,
		      struct err *e)
{
	size_t size = plan_file_size(p);
	uint8_t *data = size == 0 ? NULL : malloc(size);

	if (size == 0)
		return err_set(e, EX_MALFORMED, "plan %s: would pass 2 GiB", path);
	if (data == NULL)
		return err_set(e, EX_HOST, "plan %s: out of memory for %zu bytes", path, size);
	int r = plan_write(p, data, size, e);
	if (r == 0)
		r = file_write("plan", path, data, size, 0644, e);
	report->plan_size = size;
	free(data);
	return r;
}

/* Everything is checked and predicted before the plan is written: no plan without its values. */
static int measure(const struct options *o, const struct inputs *in, struct plain_plan *built,
		   struct measure_report *report, struct err *e)
{
	struct plain_input input = {
		.firmware = { o->firmware, in->firmware, in->firmware_size },
		.kernel = { o->kernel, in->kernel, in->kernel_size },
		.initrd = { o->initrd, in->initrd, in->initrd_size },
		.cmdline = o->append,
		.max_cpus = o->max_cpus,
		.require_tpm = !o->no_vtpm,
	};
	int r = plain_plan_build(&input, built, e);

	if (r == 0)
		r = plain_plan_open(o->plan, &built->plan, &report->contents, e);
	if (r == 0)
		r = expect_base_make(&report->contents, &report->base, e);
	if (r == 0)
		r = expect_machine(&report->base, &o->machine, &report->expected, e);
	if (r == 0)
		r = write_plan(o->plan, &built->plan, report, e);
	if (r == 0 && o->log != NULL)
		r = file_write("event log", o->log, report->expected.log, report->expected.log_size,
			       0644, e);
	if (r < 0)
		return r;
	report->machine = o->machine;
	report->tpm = !o->no_vtpm;
	report->plan_path = o->plan;
	return o->json ? measure_report_json(stdout, report, e)
		       : measure_report_text(stdout, report, e);
}

static int run(const struct options *o, struct err *e)
{
	struct plain_plan *built = calloc(1, sizeof(*built));
	struct measure_report *report = calloc(1, sizeof(*report));
	struct inputs in = { 0 };
	int r;

	if (built == NULL || report == NULL)
		r = err_set(e, EX_HOST, "out of memory");
	else if ((r = read_inputs(o, &in, e)) == 0)
		r = measure(o, &in, built, report, e);
	free(in.firmware);
	free(in.kernel);
	free(in.initrd);
	free(report);
	free(built);
	return r;
}

int main(int argc, char **argv)
{
	struct options o;
	struct err e = { 0 };

	opterr = 0;
	int r = parse_options(argc, argv, &o, &e);
	if (r == 0 && o.help)
		return fputs(usage, stdout) < 0 ? EX_HOST : EX_OK;
	if (r == 0)
		r = run(&o, &e);
	return r < 0 ? err_report(&e, PROGRAM) : EX_OK;
}
