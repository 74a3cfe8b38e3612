/* pavise-measure: makes a launch plan and says what its machine will measure. */
#include "attest/measure/bundle.h"
#include "attest/measure/expect.h"
#include "attest/measure/options.h"
#include "attest/measure/ovmf/command.h"
#include "attest/measure/plain.h"
#include "attest/measure/report.h"
#include "attest/measure/snp/plan.h"
#include "attest/measure/snp/report.h"
#include "attest/measure/tdx/plan.h"
#include "attest/measure/tdx/report.h"
#include "attest/measure/tdx/tdvf_command.h"
#include "common/boot_block.h"
#include "common/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROGRAM "pavise-measure"

/* The files' bytes, owned. */
struct inputs {
	void *firmware, *kernel, *initrd;
	size_t firmware_size, kernel_size, initrd_size;
};

static int read_inputs(const struct measure_options *o, struct inputs *in, struct err *e)
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

static int write_plan(const char *path, const struct plan *p, struct err *e)
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
	free(data);
	return r;
}

static struct plain_input input_of(const struct measure_options *o, const struct inputs *in)
{
	/* The start states of an SEV-SNP guest's processors are measured, each. */
	int exact = o->kind == MEASURE_SNP && !o->has_max_cpus;

	return (struct plain_input){
		.firmware = { o->firmware, in->firmware, in->firmware_size },
		.kernel = { o->kernel, in->kernel, in->kernel_size },
		.initrd = { o->initrd, in->initrd, in->initrd_size },
		.cmdline = o->append,
		.max_cpus = exact ? o->machine.cpus : o->max_cpus,
		.any_cpus = !exact,
		.require_tpm = !o->no_vtpm,
	};
}

/* Everything is checked and predicted before the plan is written: no plan without its values. */
static int measure_plain(const struct measure_options *o, const struct inputs *in,
			 struct plain_plan *built, struct measure_report *report, struct err *e)
{
	struct plain_input input = input_of(o, in);
	int r = plain_plan_build(&input, built, e);

	if (r == 0)
		r = plain_plan_open(o->plan, &built->plan, &report->contents, e);
	if (r == 0)
		r = expect_base_make(&report->contents, &report->base, e);
	if (r == 0)
		r = expect_machine(&report->base, &o->machine, &report->expected, e);
	if (r == 0)
		r = write_plan(o->plan, &built->plan, e);
	if (r == 0 && o->log != NULL)
		r = file_write("event log", o->log, report->expected.log, report->expected.log_size,
			       0644, e);
	if (r < 0)
		return r;
	report->machine = o->machine;
	report->tpm = !o->no_vtpm;
	report->plan_path = o->plan;
	report->plan_size = plan_file_size(&built->plan);
	return o->json ? measure_report_json(stdout, report, e)
		       : measure_report_text(stdout, report, e);
}

/* Memory is not in these measurements, but a machine that the guest cannot start with is a mistake
 * here already. */
static int check_machine(const struct measure_options *o, const struct plan *p, struct err *e)
{
	struct fw_boot_block block;

	if (o->machine.cpus > p->max_cpus)
		return err_set(e, EX_USAGE_ERROR, "cpus: %u: this plan allows %u (--max-cpus)",
			       o->machine.cpus, p->max_cpus);
	if (o->machine.memory < p->min_ram)
		return err_set(e, EX_USAGE_ERROR, "memory: %llu MiB: the plan needs %llu MiB",
			       (unsigned long long)(o->machine.memory >> 20),
			       (unsigned long long)(p->min_ram >> 20));
	return boot_block_fill(&block, o->machine.memory, o->machine.cpus, 1, 0, e);
}

static int write_id_block(const char *path, const struct snp_report *report, struct err *e)
{
	uint8_t block[SNP_ID_BLOCK_SIZE];

	snp_id_block(report->ld, report->plan->snp.policy, report->contents.image.svn, block);
	return file_write("ID block", path, block, sizeof(block), 0644, e);
}

static int run_snp(const struct measure_options *o, const struct inputs *in,
		   struct plain_plan *built, struct err *e)
{
	struct snp_report report = { .plan = &built->plan,
				     .plan_path = o->plan,
				     .cpus = o->machine.cpus,
				     .explain = o->explain };
	struct plain_input input = input_of(o, in);
	int r = snp_plan_build(&input, o->policy, built, e);

	if (r == 0)
		r = check_machine(o, &built->plan, e);
	if (r == 0)
		r = snp_plan_open(o->plan == NULL ? "in memory" : o->plan, &built->plan,
				  &report.contents, e);
	if (r == 0)
		r = expect_base_make(&report.contents, &report.base, e);
	if (r == 0)
		r = snp_measure_cpus(&built->plan, report.cpus, NULL, NULL, report.ld, e);
	if (r == 0 && o->plan != NULL)
		r = write_plan(o->plan, &built->plan, e);
	if (r == 0 && o->id_block != NULL)
		r = write_id_block(o->id_block, &report, e);
	if (r < 0)
		return r;
	return o->json ? snp_report_json(stdout, &report, e) : snp_report_text(stdout, &report, e);
}

static int measure_tdx(const struct measure_options *o, const struct inputs *in,
		       struct plain_plan *built, struct tdx_report *report, struct err *e)
{
	const char *name = o->plan == NULL ? "in memory" : o->plan;
	struct plain_input input = input_of(o, in);
	int r = tdx_plan_build(&input, o->xfam, built, e);

	if (r == 0)
		r = tdx_plan_open(name, &built->plan, &report->contents, e);
	if (r == 0)
		r = expect_base_make(&report->contents, &report->base, e);
	if (r == 0)
		r = tdx_measure(&built->plan, NULL, NULL, &report->measured, e);
	if (r == 0)
		r = tdx_expect(&report->base, &report->machine, &report->expected, e);
	if (r == 0 && o->plan != NULL)
		r = write_plan(o->plan, &built->plan, e);
	if (r == 0 && o->log != NULL)
		r = file_write("event log", o->log, report->expected.log, report->expected.log_size,
			       0644, e);
	if (r < 0)
		return r;
	return o->json ? tdx_report_json(stdout, report, e) : tdx_report_text(stdout, report, e);
}

static int run_tdx(const struct measure_options *o, const struct inputs *in,
		   struct plain_plan *built, struct err *e)
{
	struct tdx_report *report = calloc(1, sizeof(*report));

	if (report == NULL)
		return err_set(e, EX_HOST, "out of memory");
	report->plan = &built->plan;
	report->plan_path = o->plan;
	report->explain = o->explain;
	report->machine = o->machine;
	report->machine.no_tpm = o->no_vtpm != 0;
	int r = measure_tdx(o, in, built, report, e);
	free(report);
	return r;
}

static int run_plain(const struct measure_options *o, const struct inputs *in,
		     struct plain_plan *built, struct err *e)
{
	struct measure_report *report = calloc(1, sizeof(*report));

	if (report == NULL)
		return err_set(e, EX_HOST, "out of memory");
	int r = measure_plain(o, in, built, report, e);
	free(report);
	return r;
}

/* What pavise's own machines measure: a plan is made. */
static int run_plan(const struct measure_options *o, struct err *e)
{
	struct plain_plan *built = calloc(1, sizeof(*built));
	struct inputs in = { 0 };
	int r;

	if (built == NULL)
		r = err_set(e, EX_HOST, "out of memory");
	else if ((r = read_inputs(o, &in, e)) == 0)
		r = o->kind == MEASURE_SNP   ? run_snp(o, &in, built, e)
		    : o->kind == MEASURE_TDX ? run_tdx(o, &in, built, e)
					     : run_plain(o, &in, built, e);
	free(in.firmware);
	free(in.kernel);
	free(in.initrd);
	free(built);
	return r;
}

static int run(const struct measure_options *o, struct err *e)
{
	if (o->kind == MEASURE_QEMU)
		return ovmf_command(o, e);
	return o->kind == MEASURE_TDVF ? tdvf_command(o, e) : run_plan(o, e);
}

int main(int argc, char **argv)
{
	struct measure_options o;
	struct err e = { 0 };

	if (argc > 1 && strcmp(argv[1], "bundle") == 0)
		return bundle_command(argc - 1, argv + 1, &e) < 0 ? err_report(&e, PROGRAM) : EX_OK;
	int r = measure_options_parse(argc, argv, &o, &e);

	if (r == 0 && o.help)
		return fputs(measure_usage, stdout) < 0 ? EX_HOST : EX_OK;
	if (r == 0)
		r = run(&o, &e);
	return r < 0 ? err_report(&e, PROGRAM) : EX_OK;
}
