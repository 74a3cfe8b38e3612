#include "attest/measure/expect.h"

#include "attest/tpm/alg.h"
#include "common/boot_block.h"
#include "firmware/acpi.h"

#include <stdlib.h>
#include <string.h>

/* PCR 0 of a machine whose image was measured by an H-CRTM sequence starts with the locality
 * of that sequence in its last byte (TPM 2.0 Part 1 "H-CRTM", PFP §10.4.5.3). */
#define HCRTM_LOCALITY 4

uint16_t expect_bank_alg(enum expect_bank bank)
{
	return bank == EXPECT_SHA256 ? TPM_ALG_SHA256 : TPM_ALG_SHA384;
}

const char *expect_pcr_meaning(unsigned pcr)
{
	static const char *const meaning[EXPECT_PCRS] = {
		"firmware image and its version",
		"boot block (memory, processors, slots), ACPI tables, hash page",
		"separator only",
		"separator only",
		"kernel and initrd",
		"kernel command line",
		"separator only",
		"separator only",
	};

	return pcr < EXPECT_PCRS ? meaning[pcr] : "not the firmware's";
}

int expect_digests(const void *data, size_t size, struct fw_digests *out, struct err *e)
{
	const void *p = size == 0 ? "" : data;

	if (!EVP_Digest(p, size, out->sha256, NULL, EVP_sha256(), NULL) ||
	    !EVP_Digest(p, size, out->sha384, NULL, EVP_sha384(), NULL))
		return err_set(e, EX_INTERNAL, "measurement: libcrypto refuses to hash");
	return 0;
}

int expect_base_make(const struct plain_contents *c, struct expect_base *out, struct err *e)
{
	struct fw_log_inputs *in = &out->inputs;
	int r = 0;

	*out = (struct expect_base){ .variant = (enum fw_variant)c->image.variant,
				     .min_ram = c->record.min_ram,
				     .max_cpus = c->record.max_cpus,
				     .require_tpm = c->record.require_tpm != 0 };
	in->version_text = c->firmware.data + c->image.version_offset;
	in->version_size = c->image.version_size;
	in->cmdline_text = (const uint8_t *)c->cmdline;
	in->cmdline_size = strlen(c->cmdline);
	in->has_initrd = c->initrd.size != 0;
	r |= expect_digests(c->firmware.data, c->firmware.size, &in->image, e);
	r |= expect_digests(in->version_text, in->version_size, &in->version, e);
	r |= expect_digests(&c->record, sizeof(c->record), &in->hash_record, e);
	r |= expect_digests(c->kernel.data, c->kernel.size, &in->kernel, e);
	r |= expect_digests(c->initrd.data, c->initrd.size, &in->initrd, e);
	r |= expect_digests(in->cmdline_text, in->cmdline_size, &in->cmdline, e);
	return r == 0 ? 0 : -EX_INTERNAL;
}

static int hash_acpi(const struct fw_boot_block *block, enum fw_variant variant,
		     struct fw_digests *out, struct err *e)
{
	uint8_t *tables = malloc(FW_ACPI_SIZE);
	size_t size;
	int r;

	if (tables == NULL)
		return err_set(e, EX_HOST, "measurement: out of memory");
	if (fw_acpi_build(block, variant, tables, FW_ACPI_SIZE, &size) != 0)
		r = err_set(e, EX_INTERNAL, "measurement: ACPI tables do not fit");
	else
		r = expect_digests(tables, size, out, e);
	free(tables);
	return r;
}

static int replay(const struct fw_log_inputs *in, struct expectation *out, struct err *e)
{
	struct fw_event ev;

	memset(out->pcr, 0, sizeof(out->pcr));
	out->pcr[EXPECT_SHA256][0][31] = HCRTM_LOCALITY;
	out->pcr[EXPECT_SHA384][0][47] = HCRTM_LOCALITY;
	for (unsigned i = 0; fw_log_event(in, i, &ev); i++) {
		if (!ev.replayed)
			continue;
		if (ev.pcr >= EXPECT_PCRS)
			return err_set(e, EX_INTERNAL, "measurement: event in PCR %u", ev.pcr);
		if (tpm_pcr_extend(TPM_ALG_SHA256, out->pcr[EXPECT_SHA256][ev.pcr],
				   ev.digest.sha256) != 0 ||
		    tpm_pcr_extend(TPM_ALG_SHA384, out->pcr[EXPECT_SHA384][ev.pcr],
				   ev.digest.sha384) != 0)
			return err_set(e, EX_INTERNAL, "measurement: libcrypto refuses to hash");
	}
	return 0;
}

int expect_inputs(const struct expect_base *base, const struct machine *m,
		  struct fw_log_inputs *out, struct err *e)
{
	struct fw_boot_block block;

	if (m->memory < base->min_ram)
		return err_set(e, EX_USAGE_ERROR,
			       "memory: %llu MiB: this plan needs %llu MiB at least",
			       (unsigned long long)(m->memory >> 20),
			       (unsigned long long)(base->min_ram >> 20));
	if (m->cpus > base->max_cpus)
		return err_set(e, EX_USAGE_ERROR, "cpus: %u: this plan allows %u (--max-cpus)",
			       m->cpus, base->max_cpus);
	if (m->no_tpm && (base->require_tpm || base->variant != FW_VARIANT_TDX))
		return err_set(e, EX_USAGE_ERROR, "vTPM: this plan needs one (--no-vtpm)");
	*out = base->inputs;
	int r = boot_block_fill(&block, m->memory, m->cpus, !m->no_tpm, m->pci_slots, e);
	if (r == 0)
		r = expect_digests(&block, sizeof(block), &out->boot_block, e);
	return r == 0 ? hash_acpi(&block, base->variant, &out->acpi, e) : r;
}

int expect_machine(const struct expect_base *base, const struct machine *m, struct expectation *out,
		   struct err *e)
{
	struct fw_log_inputs in;
	int r = expect_inputs(base, m, &in, e);

	if (r < 0)
		return r;
	if (fw_log_build(&in, out->log, sizeof(out->log), &out->log_size) != 0)
		return err_set(e, EX_INTERNAL, "measurement: the event log does not fit");
	return replay(&in, out, e);
}
