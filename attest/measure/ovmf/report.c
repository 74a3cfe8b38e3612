#include "attest/measure/ovmf/report.h"

#include "attest/measure/ovmf/cpu_type.h"
#include "attest/measure/report.h"
#include "common/bytes.h"

#include <string.h>

static int part_text(FILE *f, const char *name, const void *data, size_t size, struct err *e)
{
	struct fw_digests d;
	int r = expect_digests(data, size, &d, e);

	if (r == 0)
		report_part_text(f, name, size, &d);
	return r;
}

int ovmf_report_text(FILE *f, const struct ovmf_report *r, struct err *e)
{
	const struct ovmf_vcpu *v = &r->launch.vcpu;
	char hex[2 * SNP_DIGEST_SIZE + 1];
	int status = part_text(f, "firmware", r->firmware.data, r->firmware.size, e);

	if (status == 0 && r->kernel.name != NULL) {
		status = part_text(f, "kernel", r->kernel.data, r->kernel.size, e);
		if (status == 0 && r->initrd.name != NULL)
			status = part_text(f, "initrd", r->initrd.data, r->initrd.size, e);
		if (status == 0)
			status = part_text(f, "cmdline", r->cmdline, strlen(r->cmdline), e);
	}
	if (status < 0)
		return status;
	fprintf(f, "QEMU: exactly %u cpus, signature 0x%08x (%s), guest features 0x%llx, %s\n",
		r->launch.cpus, v->signature, cpu_type_name(v->signature),
		(unsigned long long)v->features,
		r->kernel.name != NULL ? "kernel hashes" : "no kernel hashes");
	hex_encode(r->after_firmware, SNP_DIGEST_SIZE, hex);
	fprintf(f, "firmware digest %s\n", hex);
	hex_encode(r->ld, SNP_DIGEST_SIZE, hex);
	fprintf(f, "measurement %s\n", hex);
	return report_flush(f, e);
}

/* null for what is not measured. */
static int part_json(json_t *files, const char *name, int given, const void *data, size_t size,
		     struct err *e)
{
	struct fw_digests d;
	int r = given ? expect_digests(data, size, &d, e) : 0;

	if (r < 0)
		return r;
	if (json_object_set_new(files, name, given ? report_part_json(size, &d) : json_null()) != 0)
		return err_set(e, EX_INTERNAL, "cannot make the JSON output");
	return 0;
}

static json_t *files_json(const struct ovmf_report *r, struct err *e)
{
	int kernel = r->kernel.name != NULL;
	json_t *j = json_object();
	int status = part_json(j, "firmware", 1, r->firmware.data, r->firmware.size, e);

	if (status == 0)
		status = part_json(j, "kernel", kernel, r->kernel.data, r->kernel.size, e);
	if (status == 0)
		status = part_json(j, "initrd", r->initrd.name != NULL, r->initrd.data,
				   r->initrd.size, e);
	if (status == 0)
		status = part_json(j, "cmdline", kernel, r->cmdline, strlen(r->cmdline), e);
	if (status == 0)
		return j;
	json_decref(j);
	return NULL;
}

static json_t *vcpu_json(uint32_t cpus, const struct ovmf_vcpu *v)
{
	char signature[16];

	snprintf(signature, sizeof(signature), "0x%08x", v->signature);
	return json_pack("{s:I, s:s, s:s, s:I}", "cpus", (json_int_t)cpus, "cpu_signature",
			 signature, "cpu_type", cpu_type_name(v->signature), "sev_features",
			 (json_int_t)v->features);
}

int ovmf_report_json(FILE *f, const struct ovmf_report *r, json_t *steps, struct err *e)
{
	char after[2 * SNP_DIGEST_SIZE + 1], ld[2 * SNP_DIGEST_SIZE + 1];

	hex_encode(r->after_firmware, SNP_DIGEST_SIZE, after);
	hex_encode(r->ld, SNP_DIGEST_SIZE, ld);
	json_t *j = json_pack("{s:s, s:i, s:s, s:s, s:o, s:o, s:s, s:s}", "format",
			      "pavise-measurement", "version", 0, "tee", "sev-snp", "vmm", "qemu",
			      "files", files_json(r, e), "snp",
			      vcpu_json(r->launch.cpus, &r->launch.vcpu), "firmware_digest", after,
			      "measurement", ld);
	if (steps != NULL && (j == NULL || json_object_set(j, "steps", steps) != 0)) {
		json_decref(j);
		j = NULL;
	}
	json_decref(steps);
	return report_dump(f, j, e);
}

int ovmf_found_text(FILE *f, const struct ovmf_found *found, struct err *e)
{
	const struct ovmf_vcpu *v = &found->vcpu;

	if (found->found)
		fprintf(f,
			"match after %llu combinations: %u cpus, signature 0x%08x (%s), guest "
			"features 0x%llx, %s%s\n",
			(unsigned long long)found->tried, found->cpus, v->signature,
			cpu_type_name(v->signature), (unsigned long long)v->features,
			found->hashes ? "with kernel hashes" : "without kernel hashes",
			v->no_fpu ? ", MXCSR and FCW 0 (KVM before about Linux 6.9)" : "");
	return report_flush(f, e);
}

int ovmf_found_json(FILE *f, const struct ovmf_found *found, struct err *e)
{
	json_t *match = json_null();

	if (found->found)
		match = json_pack("{s:o, s:b, s:b}", "snp", vcpu_json(found->cpus, &found->vcpu),
				  "kernel_hashes", (int)found->hashes, "fpu_zero",
				  (int)found->vcpu.no_fpu);
	return report_dump(f,
			   json_pack("{s:s, s:i, s:s, s:s, s:I, s:o}", "format",
				     "pavise-measurement-search", "version", 0, "tee", "sev-snp",
				     "vmm", "qemu", "tried", (json_int_t)found->tried, "match",
				     match),
			   e);
}
