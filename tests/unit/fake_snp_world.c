#include "tests/unit/fake_snp_world.h"

#include "attest/binding.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static void must(bool ok)
{
	if (!ok)
		abort();
}

void fake_snp_world_sign(struct fake_snp_world *w)
{
	struct evidence *ev = &w->plain.evidence;
	struct binding b = { ev->nonce,
			     ev->nonce_size,
			     ev->public_key,
			     ev->public_key_size,
			     ev->has_vtpm ? ev->ak_public : NULL,
			     ev->ak_public_size };
	struct err e = { 0 };

	must(binding_sha512(&b, w->chip.report + 0x50, &e) == 0);
	fake_snp_sign(&w->chip);
	memcpy(ev->report, w->chip.report, SNP_REPORT_SIZE);
	ev->report_size = SNP_REPORT_SIZE;
	memcpy(ev->cert_table, w->chip.table, w->chip.table_size);
	ev->cert_table_size = w->chip.table_size;
}

void fake_snp_world_make(struct fake_snp_world *w)
{
	struct policy *p = &w->plain.policy;

	memset(w, 0, sizeof(*w));
	fake_world_make(&w->plain, TPM_ALG_ECDSA, TPM_ALG_SHA256);
	fake_snp_make(&w->chip);
	w->trust_root = w->chip.ark;
	w->plain.evidence.tee = EVIDENCE_SNP;
	strcpy(w->plain.evidence.tee_provider, "simulated");
	policy_built_in(POLICY_RECOMMENDED, p);
	p->any_tee = false;
	p->tee = EVIDENCE_SNP;
	p->require_nonce = true;
	p->snp.measurements = (struct policy_digests){ .count = 1, .size = SNP_MEASUREMENT_SIZE };
	memcpy(p->snp.measurements.value[0], w->chip.report + 0x90, SNP_MEASUREMENT_SIZE);
	fake_snp_world_sign(w);
}

void fake_snp_world_free(struct fake_snp_world *w)
{
	fake_world_free(&w->plain);
	fake_snp_free(&w->chip);
}

enum exit_status fake_snp_world_judge(const struct fake_snp_world *w, const struct policy *policy,
				      const uint8_t *nonce, size_t nonce_size, struct checks *out)
{
	struct snp_certs certs = { 0 };
	struct err e = { 0 };
	struct appraisal a = { .evidence = &w->plain.evidence,
			       .policy = policy,
			       .base = policy != NULL && policy->has_plan ? &w->plain.base : NULL,
			       .nonce = nonce,
			       .nonce_size = nonce_size,
			       .certs = &certs,
			       .trust_root = w->trust_root,
			       .now = FAKE_SNP_NOW,
			       .checks = out };

	memset(out, 0, sizeof(*out));
	int r = check_bundle(&a, &e);
	snp_certs_free(&certs);
	return r < 0 ? (enum exit_status)e.status : checks_verdict(out);
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

char *fake_snp_world_json(const struct fake_snp_world *w)
{
	const struct evidence *ev = &w->plain.evidence;
	char *plain = fake_world_json(&w->plain);
	json_t *j = json_loads(plain, 0, NULL);

	free(plain);
	must(json_object_set_new(j, "tee",
				 json_pack("{s:s, s:s, s:o, s:o}", "type", "sev-snp", "provider",
					   ev->tee_provider, "report",
					   base64_json(ev->report, ev->report_size), "cert_table",
					   base64_json(ev->cert_table, ev->cert_table_size))) == 0);
	if (!ev->has_vtpm) {
		json_object_del(j, "vtpm");
		json_object_del(j, "event_log");
	}
	char *text = json_dumps(j, JSON_COMPACT);
	json_decref(j);
	must(text != NULL);
	return text;
}
