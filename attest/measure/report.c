#include "attest/measure/report.h"

#include "attest/tpm/alg.h"
#include "common/bytes.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

void report_part_text(FILE *f, const char *name, size_t size, const struct fw_digests *d)
{
	char hex[65];

	hex_encode(d->sha256, sizeof(d->sha256), hex);
	fprintf(f, "%-9s %11zu bytes  sha256 %s\n", name, size, hex);
}

void report_parts_text(FILE *f, const struct plain_contents *c, const struct fw_log_inputs *in)
{
	report_part_text(f, "firmware", c->firmware.size, &in->image);
	report_part_text(f, "kernel", c->kernel.size, &in->kernel);
	if (in->has_initrd)
		report_part_text(f, "initrd", c->initrd.size, &in->initrd);
	report_part_text(f, "cmdline", in->cmdline_size, &in->cmdline);
}

int report_flush(FILE *f, struct err *e)
{
	if (fflush(f) != 0 || ferror(f))
		return err_errno(e, EX_HOST, errno, "standard output: cannot write");
	return 0;
}

static void pcrs_text(FILE *f, const struct expectation *x)
{
	char hex[2 * TPM_DIGEST_MAX + 1];

	for (unsigned bank = 0; bank < EXPECT_BANKS; bank++) {
		uint16_t alg = expect_bank_alg((enum expect_bank)bank);
		for (unsigned i = 0; i < EXPECT_PCRS; i++) {
			hex_encode(x->pcr[bank][i], tpm_alg_size(alg), hex);
			fprintf(f, "pcr %u %s %s  %s\n", i, tpm_alg_name(alg), hex,
				expect_pcr_meaning(i));
		}
	}
}

int measure_report_text(FILE *f, const struct measure_report *r, struct err *e)
{
	report_parts_text(f, &r->contents, &r->base.inputs);
	fprintf(f, "plan %s: %zu bytes, needs %llu MiB of RAM, at most %u cpus%s\n", r->plan_path,
		r->plan_size, (unsigned long long)(r->base.min_ram >> 20), r->base.max_cpus,
		r->tpm ? ", a vTPM" : "");
	if (!r->tpm) {
		fputs("no PCR values: predicted for machines with a vTPM only\n", f);
		return report_flush(f, e);
	}
	fprintf(f, "with %u cpus, %llu MiB, %u PCI slots and a vTPM expect:\n", r->machine.cpus,
		(unsigned long long)(r->machine.memory >> 20), r->machine.pci_slots);
	pcrs_text(f, &r->expected);
	return report_flush(f, e);
}

json_t *report_part_json(size_t size, const struct fw_digests *d)
{
	char short_hex[65], long_hex[97];

	hex_encode(d->sha256, sizeof(d->sha256), short_hex);
	hex_encode(d->sha384, sizeof(d->sha384), long_hex);
	return json_pack("{s:I, s:s, s:s}", "size", (json_int_t)size, "sha256", short_hex, "sha384",
			 long_hex);
}

json_t *report_parts_json(const struct plain_contents *c, const struct fw_log_inputs *in)
{
	return json_pack("{s:o, s:o, s:o?, s:o}", "firmware",
			 report_part_json(c->firmware.size, &in->image), "kernel",
			 report_part_json(c->kernel.size, &in->kernel), "initrd",
			 in->has_initrd ? report_part_json(c->initrd.size, &in->initrd) : NULL,
			 "cmdline", report_part_json(in->cmdline_size, &in->cmdline));
}

json_t *report_machine_json(const struct machine *m)
{
	return json_pack("{s:I, s:I, s:I, s:b}", "cpus", (json_int_t)m->cpus, "memory",
			 (json_int_t)m->memory, "pci_slots", (json_int_t)m->pci_slots, "tpm",
			 !m->no_tpm);
}

json_t *report_plan_json(const struct plan *p, const struct plain_contents *c)
{
	return json_pack("{s:I, s:I, s:I, s:b}", "size", (json_int_t)plan_file_size(p), "min_ram",
			 (json_int_t)p->min_ram, "max_cpus", (json_int_t)p->max_cpus, "require_tpm",
			 (int)c->record.require_tpm);
}

static json_t *pcrs_json(const struct expectation *x)
{
	char hex[2 * TPM_DIGEST_MAX + 1], number[8];
	json_t *banks = json_object();

	for (unsigned bank = 0; bank < EXPECT_BANKS; bank++) {
		uint16_t alg = expect_bank_alg((enum expect_bank)bank);
		json_t *values = json_object();
		for (unsigned i = 0; i < EXPECT_PCRS; i++) {
			hex_encode(x->pcr[bank][i], tpm_alg_size(alg), hex);
			snprintf(number, sizeof(number), "%u", i);
			json_object_set_new(values, number, json_string(hex));
		}
		json_object_set_new(banks, tpm_alg_name(alg), values);
	}
	return banks;
}

int report_dump(FILE *f, json_t *j, struct err *e)
{
	if (j == NULL)
		return err_set(e, EX_INTERNAL, "cannot make the JSON output");
	int bad = json_dumpf(j, f, JSON_INDENT(1)) != 0 || fputc('\n', f) == EOF;
	json_decref(j);
	if (bad)
		return err_set(e, EX_HOST, "standard output: cannot write");
	return report_flush(f, e);
}

int measure_report_json(FILE *f, const struct measure_report *r, struct err *e)
{
	json_t *j = json_pack(
		"{s:s, s:i, s:s, s:o, s:{s:I, s:I, s:I, s:b}, s:{s:I, s:I, s:I, s:b}, s:o?}",
		"format", "pavise-measurement", "version", 0, "tee", "none", "files",
		report_parts_json(&r->contents, &r->base.inputs), "plan", "size",
		(json_int_t)r->plan_size, "min_ram", (json_int_t)r->base.min_ram, "max_cpus",
		(json_int_t)r->base.max_cpus, "require_tpm", r->tpm, "machine", "cpus",
		(json_int_t)r->machine.cpus, "memory", (json_int_t)r->machine.memory, "pci_slots",
		(json_int_t)r->machine.pci_slots, "tpm", r->tpm, "pcrs",
		r->tpm ? pcrs_json(&r->expected) : NULL);

	return report_dump(f, j, e);
}
