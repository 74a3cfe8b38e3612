/* make_attest_corpus FOLDER: writes the seeds of fuzz_evidence, fuzz_eventlog, fuzz_policy and
 * fuzz_plan, one sub-folder each. Keys are fresh at each run; the seeds are good all the same. */
#include "tests/unit/fake_evidence.h"

#include "attest/measure/snp/plan.h"
#include "attest/measure/tdx/plan.h"
#include "attest/tpm/quote.h"
#include "common/bytes.h"
#include "common/file.h"
#include "tests/unit/fake_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct fake_world world;

static void save(const char *folder, const char *name, const void *data, size_t size)
{
	char path[4096];
	struct err e = { 0 };

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (file_write("seed", path, data, size, 0644, &e) < 0)
		exit(err_report(&e, "make_attest_corpus"));
}

static void save_raw(const char *folder, const char *name)
{
	const struct evidence *ev = &world.evidence;
	static uint8_t out[1 << 16];
	struct writer w = writer_over(out, sizeof(out));

	write_u8(&w, 0);
	write_le16(&w, (uint16_t)ev->ak_public_size);
	write_copy(&w, ev->ak_public, ev->ak_public_size);
	write_le16(&w, (uint16_t)ev->quote_size);
	write_copy(&w, ev->quote, ev->quote_size);
	write_le16(&w, (uint16_t)ev->signature_size);
	write_copy(&w, ev->signature, ev->signature_size);
	write_copy(&w, ev->event_log, ev->event_log_size);
	save(folder, name, out, w.pos);
}

static void save_evidence(const char *folder)
{
	static const struct {
		const char *name;
		uint16_t scheme, hash;
	} kinds[] = { { "ecdsa", TPM_ALG_ECDSA, TPM_ALG_SHA256 },
		      { "rsassa", TPM_ALG_RSASSA, TPM_ALG_SHA256 },
		      { "rsapss", TPM_ALG_RSAPSS, TPM_ALG_SHA384 } };
	char name[64];

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		fake_world_make(&world, kinds[i].scheme, kinds[i].hash);
		char *text = fake_world_json(&world);
		snprintf(name, sizeof(name), "evidence/%s.json", kinds[i].name);
		save(folder, name, text, strlen(text));
		snprintf(name, sizeof(name), "evidence/%s.raw", kinds[i].name);
		save_raw(folder, name);
		free(text);
		fake_world_free(&world);
	}
}

static void save_policies(const char *folder)
{
	static const char plan[] =
		"{\"format\":\"pavise-policy\",\"version\":0,\"tee\":\"none\",\"plan\":\"a.plan\","
		"\"cpus\":[1,2],\"memory\":[\"512M\",\"2G\"],\"pci_slots\":[0,16],\"banks\":"
		"[\"sha256\",\"sha384\"],\"require_nonce\":false,\"ak_sha256\":["
		"\"000102030405060708"
		"090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\"]}";
	char text[4096], hex[65];
	size_t n = (size_t)snprintf(text, sizeof(text),
				    "{\"format\":\"pavise-policy\",\"version\":0,\"tee\":\"none\","
				    "\"banks\":[\"sha256\"],\"reference\":{\"pcrs\":{\"sha256\":{");

	for (unsigned i = 0; i < EXPECT_PCRS; i++) {
		hex_encode(world.expected.pcr[0][i], 32, hex);
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s\"%u\":\"%s\"",
				      i == 0 ? "" : ",", i, hex);
	}
	n += (size_t)snprintf(text + n, sizeof(text) - n, "}}}}");
	save(folder, "policy/plan.json", plan, sizeof(plan) - 1);
	save(folder, "policy/reference.json", text, n);
}

static void save_plan(const char *folder, const char *name, const struct plan *p)
{
	struct err e = { 0 };
	size_t size = plan_file_size(p);
	uint8_t *data = malloc(size);

	if (data == NULL || plan_write(p, data, size, &e) < 0)
		exit(EX_INTERNAL);
	save(folder, name, data, size);
	free(data);
}

static void save_confidential_plans(const char *folder)
{
	static uint8_t firmware[FAKE_FIRMWARE_SIZE], kernel[FAKE_KERNEL_SIZE];
	static struct plain_plan built;
	struct err e = { 0 };
	struct plain_input in = { .firmware = { "fw", firmware, sizeof(firmware) },
				  .kernel = { "kernel", kernel, sizeof(kernel) },
				  .initrd = { "initrd", kernel, 100 },
				  .cmdline = "quiet",
				  .max_cpus = 2,
				  .require_tpm = 1 };

	fake_firmware_snp(firmware);
	fake_kernel(kernel);
	if (snp_plan_build(&in, PLAN_SNP_POLICY, &built, &e) < 0)
		exit(err_report(&e, "make_attest_corpus"));
	save_plan(folder, "plan/snp.plan", &built.plan);
	fake_firmware_tdx(firmware);
	if (tdx_plan_build(&in, PLAN_TDX_XFAM, &built, &e) < 0)
		exit(err_report(&e, "make_attest_corpus"));
	save_plan(folder, "plan/tdx.plan", &built.plan);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fputs("usage: make_attest_corpus FOLDER\n", stderr);
		return EX_USAGE_ERROR;
	}
	save_evidence(argv[1]);
	save(argv[1], "eventlog/firmware.log", world.expected.log, world.expected.log_size);
	save_policies(argv[1]);
	save_plan(argv[1], "plan/plain.plan", &world.built.plan);
	save_confidential_plans(argv[1]);
	return EX_OK;
}
