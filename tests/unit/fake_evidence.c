#include "tests/unit/fake_evidence.h"

#include "common/bytes.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void make_plan(struct fake_world *w)
{
	struct err e = { 0 };

	fake_firmware(w->firmware);
	fake_kernel(w->kernel);
	memset(w->initrd, 'i', sizeof(w->initrd));
	struct plain_input in = {
		.firmware = { "fw", w->firmware, sizeof(w->firmware) },
		.kernel = { "kernel", w->kernel, sizeof(w->kernel) },
		.initrd = { "initrd", w->initrd, sizeof(w->initrd) },
		.cmdline = "console=ttyS0",
		.max_cpus = 4,
		.require_tpm = 1,
	};
	must(plain_plan_build(&in, &w->built, &e) == 0);
	must(plain_plan_open("plan", &w->built.plan, &w->contents, &e) == 0);
	must(expect_base_make(&w->contents, &w->base, &e) == 0);
	struct machine m = { .memory = 512u << 20, .cpus = 2, .pci_slots = 2 };
	must(expect_machine(&w->base, &m, &w->expected, &e) == 0);
}

static void make_policy(struct policy *p)
{
	policy_built_in(POLICY_RECOMMENDED, p);
	p->any_tee = false;
	p->has_plan = p->require_nonce = true;
	p->cpus[0] = 1;
	p->cpus[1] = 2;
	p->cpus_count = 2;
	p->pci_slots[0] = 2;
	p->memory[0] = 512u << 20;
	p->pci_slots_count = p->memory_count = 1;
	p->bank[EXPECT_SHA256] = p->bank[EXPECT_SHA384] = true;
}

/* SubjectPublicKeyInfo of P-256's base point (SEC 2 §2.4.2): a valid key, the same in each run,
 * so that committed seeds stay good. */
static const uint8_t agent_key[] = {
	0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
	0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
	0x04, 0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5,
	0x63, 0xa4, 0x40, 0xf2, 0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4,
	0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96, 0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a,
	0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e, 0x16, 0x2b, 0xce, 0x33,
	0x57, 0x6b, 0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5,
};

void fake_world_sign(struct fake_world *w)
{
	struct evidence *ev = &w->evidence;
	struct binding b = { ev->nonce,		  ev->nonce_size, ev->public_key,
			     ev->public_key_size, ev->ak_public,  ev->ak_public_size };
	uint8_t extra[32];
	struct err e = { 0 };

	must(binding_sha256(&b, extra, &e) == 0);
	ev->quote_size = fake_tpm_quote(&w->tpm, extra, sizeof(extra), ev->pcrs, ev->quote);
	ev->signature_size = fake_tpm_sign(&w->tpm, ev->quote, ev->quote_size, ev->signature);
}

void fake_world_make(struct fake_world *w, uint16_t scheme, uint16_t hash)
{
	struct evidence *ev = &w->evidence;

	memset(w, 0, sizeof(*w));
	make_plan(w);
	make_policy(&w->policy);
	fake_tpm_make(&w->tpm, scheme, hash, TPMA_AK_SET);
	memset(ev->nonce, 'n', 32);
	ev->nonce_size = 32;
	memcpy(ev->public_key, agent_key, sizeof(agent_key));
	ev->public_key_size = sizeof(agent_key);
	ev->has_vtpm = true;
	memcpy(ev->ak_public, w->tpm.public_area, w->tpm.public_size);
	ev->ak_public_size = w->tpm.public_size;
	memcpy(ev->event_log, w->expected.log, w->expected.log_size);
	ev->event_log_size = w->expected.log_size;
	for (unsigned bank = 0; bank < EXPECT_BANKS; bank++) {
		ev->pcrs[bank].given = 0xFF;
		memcpy(ev->pcrs[bank].value, w->expected.pcr[bank], sizeof(w->expected.pcr[bank]));
	}
	fake_world_sign(w);
}

void fake_world_free(struct fake_world *w)
{
	fake_tpm_free(&w->tpm);
}

enum exit_status fake_world_judge(const struct fake_world *w, const uint8_t *nonce,
				  size_t nonce_size, struct checks *out)
{
	struct err e = { 0 };
	struct appraisal a = { .evidence = &w->evidence,
			       .policy = &w->policy,
			       .base = &w->base,
			       .nonce = nonce,
			       .nonce_size = nonce_size,
			       .checks = out };

	memset(out, 0, sizeof(*out));
	return check_bundle(&a, &e) < 0 ? (enum exit_status)e.status : checks_verdict(out);
}

static json_t *base64_json(const uint8_t *data, size_t size)
{
	char *text = malloc(size / 3 * 4 + 8);

	must(text != NULL);
	EVP_EncodeBlock((unsigned char *)text, data, (int)size);
	json_t *j = json_string(text);
	free(text);
	return j;
}

static json_t *bank_json(const struct pcr_values *v, size_t size)
{
	json_t *j = json_object();
	char key[4], hex[97];

	for (unsigned i = 0; i < TPM_PCR_COUNT; i++) {
		if ((v->given >> i & 1) == 0)
			continue;
		snprintf(key, sizeof(key), "%u", i);
		hex_encode(v->value[i], size, hex);
		json_object_set_new(j, key, json_string(hex));
	}
	return j;
}

char *fake_world_json(const struct fake_world *w)
{
	const struct evidence *ev = &w->evidence;
	char nonce[2 * BINDING_NONCE_MAX + 1];

	hex_encode(ev->nonce, ev->nonce_size, nonce);
	json_t *j = json_pack(
		"{s:s, s:i, s:s, s:{s:s}, s:{s:s, s:o}, s:{s:s, s:o, s:o, s:o, s:{s:o, s:o}}, s:o, "
		"s:{s:s, s:s}}",
		"format", "pavise-evidence", "version", 0, "nonce", nonce, "tee", "type", "none",
		"agent", "name", "pavise-agent", "public_key",
		base64_json(ev->public_key, ev->public_key_size), "vtpm", "placement", "host",
		"ak_public", base64_json(ev->ak_public, ev->ak_public_size), "quote",
		base64_json(ev->quote, ev->quote_size), "signature",
		base64_json(ev->signature, ev->signature_size), "pcrs", "sha256",
		bank_json(&ev->pcrs[0], 32), "sha384", bank_json(&ev->pcrs[1], 48), "event_log",
		base64_json(ev->event_log, ev->event_log_size), "host_claims", "vm", "test",
		"isolation", "none");
	must(j != NULL);
	char *text = json_dumps(j, JSON_COMPACT);
	json_decref(j);
	must(text != NULL);
	return text;
}
