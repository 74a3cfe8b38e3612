#include "tests/unit/fake_evidence.h"

#include "common/bytes.h"

#include <jansson.h>
#include <openssl/x509.h>
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
	*p = (struct policy){ .has_plan = true,
			      .cpus = { 1, 2 },
			      .cpus_count = 2,
			      .pci_slots = { 2 },
			      .pci_slots_count = 1,
			      .memory = { 512u << 20 },
			      .memory_count = 1,
			      .bank = { true, true },
			      .require_nonce = true };
}

static void make_agent_key(struct evidence *ev)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	unsigned char *p = ev->public_key;
	int n = i2d_PUBKEY(key, NULL);

	must(n > 0 && (size_t)n <= sizeof(ev->public_key));
	must(i2d_PUBKEY(key, &p) == n);
	ev->public_key_size = (size_t)n;
	EVP_PKEY_free(key);
}

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
	make_agent_key(ev);
	ev->has_vtpm = true;
	memcpy(ev->ak_public, w->tpm.public_area, w->tpm.public_size);
	ev->ak_public_size = w->tpm.public_size;
	memcpy(ev->event_log, w->expected.log, w->expected.log_size);
	ev->event_log_size = w->expected.log_size;
	for (unsigned bank = 0; bank < EXPECT_BANKS; bank++) {
		ev->pcrs[bank].given = 0xFF;
		memcpy(ev->pcrs[bank].value, w->expected.pcr[bank],
		       sizeof(w->expected.pcr[bank]));
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

	out->count = 0;
	out->overflow = false;
	return appraise(&a, &e) < 0 ? (enum exit_status)e.status : checks_verdict(out);
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
