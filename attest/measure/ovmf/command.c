#include "attest/measure/ovmf/command.h"

#include "attest/measure/kernel_hashes.h"
#include "attest/measure/ovmf/report.h"
#include "attest/measure/plain.h"
#include "attest/measure/snp/report.h"
#include "common/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The files' bytes, owned. */
struct inputs {
	void *firmware, *kernel, *initrd;
	size_t firmware_size, kernel_size, initrd_size;
};

/* QEMU takes any kernel and an empty initrd as they are. */
static int read_inputs(const struct measure_options *o, struct inputs *in, struct err *e)
{
	int r = file_read("firmware", o->firmware, OVMF_IMAGE_MAX, 0, &in->firmware,
			  &in->firmware_size, e);

	if (r == 0 && o->kernel != NULL)
		r = file_read("kernel", o->kernel, MEASURE_KERNEL_MAX, 1, &in->kernel,
			      &in->kernel_size, e);
	if (r == 0 && o->initrd != NULL)
		r = file_read("initrd", o->initrd, MEASURE_INITRD_MAX, 1, &in->initrd,
			      &in->initrd_size, e);
	return r;
}

static int measure(const struct measure_options *o, struct ovmf_report *r, struct err *e)
{
	struct ovmf_launch *l = &r->launch;
	json_t *steps = o->explain && o->json ? json_array() : NULL;

	if (o->explain) {
		l->each = o->json ? snp_step_json : snp_step_text;
		l->arg = o->json ? (void *)steps : (void *)stdout;
	}
	if (o->explain && !o->json)
		fputs(SNP_STEP_TITLE, stdout);
	int status = ovmf_measure(l, r->after_firmware, r->ld, e);
	if (status < 0) {
		json_decref(steps);
		return status;
	}
	return o->json ? ovmf_report_json(stdout, r, steps, e) : ovmf_report_text(stdout, r, e);
}

static int search(const struct measure_options *o, const struct ovmf_report *r, struct err *e)
{
	struct ovmf_search s = { .launch = r->launch,
				 .only_signature = o->has_signature != 0,
				 .only_features = o->has_features != 0 };
	struct ovmf_found found;

	memcpy(s.expect, o->expect, sizeof(s.expect));
	int status = ovmf_search(&s, &found, e);
	if (status == 0)
		status = o->json ? ovmf_found_json(stdout, &found, e)
				 : ovmf_found_text(stdout, &found, e);
	if (status == 0 && !found.found)
		return err_set(
			e, EX_REFUSED,
			"expect: none of the %llu combinations tried gives this digest: check "
			"the firmware's build, the kernel's files, and whether QEMU made it",
			(unsigned long long)found.tried);
	return status;
}

static int run(const struct measure_options *o, const struct inputs *in, struct err *e)
{
	const char *cmdline = o->append == NULL ? "" : o->append;
	uint8_t hashes[FW_HASH_TABLE_SIZE];
	struct ovmf_image image;
	struct ovmf_report r = { .firmware = { o->firmware, in->firmware, in->firmware_size },
				 .kernel = { o->kernel, in->kernel, in->kernel_size },
				 .initrd = { o->initrd, in->initrd, in->initrd_size },
				 .cmdline = cmdline };
	struct ovmf_launch *l = &r.launch;

	l->name = o->firmware;
	l->image = &image;
	l->firmware_digest = o->has_firmware_digest ? o->firmware_digest : NULL;
	l->hashes = o->kernel == NULL ? NULL : hashes;
	l->cpus = o->machine.cpus;
	l->vcpu.signature = o->cpu_signature;
	l->vcpu.features = o->guest_features;
	int status = ovmf_image_open(o->firmware, in->firmware, in->firmware_size, &image, e);
	if (status == 0 && l->hashes != NULL)
		status = ovmf_takes_kernel(o->firmware, &image, e);
	if (status == 0 && l->hashes != NULL)
		status = kernel_hashes_fill(in->kernel, in->kernel_size, in->initrd,
					    in->initrd_size, cmdline, hashes, e);
	if (status < 0)
		return status;
	return o->search ? search(o, &r, e) : measure(o, &r, e);
}

int ovmf_command(const struct measure_options *o, struct err *e)
{
	struct inputs in = { 0 };
	int r = read_inputs(o, &in, e);

	if (r == 0)
		r = run(o, &in, e);
	free(in.firmware);
	free(in.kernel);
	free(in.initrd);
	return r;
}
