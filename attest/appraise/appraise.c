#include "attest/appraise/appraise.h"

#include "common/bytes.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

void check_id(char out[32], const char *id, enum expect_bank bank, unsigned pcr)
{
	snprintf(out, 32, "%s.%s.%u", id, tpm_alg_name(expect_bank_alg(bank)), pcr);
}

bool appraise_bank(const struct appraisal *a, enum expect_bank bank)
{
	return a->policy != NULL ? a->policy->bank[bank] : a->evidence->pcrs[bank].given != 0;
}

static void check_policy(const struct appraisal *a)
{
	if (a->policy == NULL)
		check_fail(a->checks, "policy.given", EX_REFUSED, "none", "--policy F",
			   "without a policy nothing says what to accept: docs/PROTOCOL.policy");
	else
		check_pass(a->checks, "policy.given", NULL, "%s",
			   a->policy->has_plan ? "reference values from the plan's files"
					       : "reference values from the policy");
}

static void check_nonce(const struct appraisal *a)
{
	const struct evidence *ev = a->evidence;
	char have[2 * BINDING_NONCE_MAX + 1], need[2 * BINDING_NONCE_MAX + 1];

	if (a->nonce == NULL && a->policy != NULL && a->policy->require_nonce) {
		check_fail(a->checks, "freshness", EX_REFUSED, "no --nonce", "--nonce HEX",
			   "the policy wants fresh evidence: give the nonce you chose");
		return;
	}
	if (a->nonce == NULL) {
		check_skip(a->checks, "freshness", "no --nonce given");
		return;
	}
	hex_encode(ev->nonce, ev->nonce_size, have);
	hex_encode(a->nonce, a->nonce_size, need);
	if (a->nonce_size == ev->nonce_size &&
	    CRYPTO_memcmp(a->nonce, ev->nonce, a->nonce_size) == 0)
		check_pass(a->checks, "freshness", have, "the nonce is the one given");
	else
		check_fail(a->checks, "freshness", EX_UNAUTHENTIC, have, need,
			   "another nonce: old evidence, or made for someone else");
}

static void check_agent_key(const struct appraisal *a)
{
	const struct evidence *ev = a->evidence;
	const unsigned char *p = ev->public_key;
	EVP_PKEY *key = d2i_PUBKEY(NULL, &p, (long)ev->public_key_size);
	char group[32] = "";

	if (key != NULL)
		EVP_PKEY_get_group_name(key, group, sizeof(group), NULL);
	bool whole = key != NULL && p == ev->public_key + ev->public_key_size;
	bool right = whole && EVP_PKEY_is_a(key, "EC") && strcmp(group, "prime256v1") == 0;
	EVP_PKEY_free(key);
	ERR_clear_error();
	if (right)
		check_pass(a->checks, "agent.key", NULL, "EC P-256 public key");
	else
		check_fail(a->checks, "agent.key", EX_MALFORMED, NULL, NULL, "%s",
			   whole ? "not an EC P-256 key"
				 : "not the DER of one SubjectPublicKeyInfo");
}

static const char *const vtpm_checks[] = {
	"ak.form",	  "ak.provenance",   "quote.form",	 "quote.signature",
	"quote.binding",  "quote.selection", "quote.pcr_digest", "log.form",
	"log.replay",	  "log.separators",  "log.events",	 "reference.machine",
	"reference.pcrs", "reference.log",
};
#define FIRST_REFERENCE 11u /* "reference.machine" */

bool appraise_tee_fits(const struct appraisal *a)
{
	return a->policy == NULL || a->policy->tee == a->evidence->tee;
}

static void skip_vtpm(const struct appraisal *a, size_t first, const char *why)
{
	for (size_t i = first; i < sizeof(vtpm_checks) / sizeof(vtpm_checks[0]); i++)
		check_skip(a->checks, vtpm_checks[i], "%s", why);
}

static int check_vtpm(const struct appraisal *a, struct err *e)
{
	if (a->evidence->has_vtpm) {
		check_pass(a->checks, "vtpm.present", "host",
			   "a vTPM that runs on the host measured the boot");
		check_quote(a);
		check_event_log(a);
		if (appraise_tee_fits(a))
			return check_reference(a, e);
		skip_vtpm(a, FIRST_REFERENCE, "the policy is for another kind of machine");
		return 0;
	}
	check_fail(a->checks, "vtpm.present", EX_REFUSED, "none", "a vTPM",
		   "nothing measured the boot of this machine: start it with a vTPM");
	skip_vtpm(a, 0, "the evidence has no vTPM");
	return 0;
}

/* Under a TEE the owner of the guest does not trust the host, and so not its vTPM: what its checks
 * find can cost the verdict, never earn it. */
static void check_host_vtpm(const struct appraisal *a)
{
	a->checks->label = "host-vtpm (untrusted by the guest owner)";
	if (a->evidence->has_vtpm) {
		check_skip(a->checks, "vtpm.present",
			   "present; the launch digest, not it, says what was booted");
		check_quote(a);
		check_event_log(a);
		skip_vtpm(a, FIRST_REFERENCE, "not compared: snp.measurement is");
	} else {
		check_skip(a->checks, "vtpm.present", "none, and none is needed");
		skip_vtpm(a, 0, "the evidence has no vTPM");
	}
	a->checks->label = NULL;
}

static void check_tee(const struct appraisal *a)
{
	const struct evidence *ev = a->evidence;
	const char *have = ev->tee == EVIDENCE_SNP ? "sev-snp" : "none";

	if (!appraise_tee_fits(a))
		check_fail(a->checks, "tee.evidence", EX_REFUSED, have,
			   a->policy->tee == EVIDENCE_SNP ? "sev-snp" : "none",
			   "the policy is for another kind of machine");
	else if (ev->tee == EVIDENCE_PLAIN)
		check_skip(a->checks, "tee.evidence", "plain VM: no TEE, the host is trusted");
	else
		check_pass(a->checks, "tee.evidence", have,
			   "a report of SEV-SNP; the agent calls its source %s, which proves "
			   "nothing",
			   ev->tee_provider);
}

static void check_report(const struct appraisal *a)
{
	const struct evidence *ev = a->evidence;
	struct binding b = { .nonce = ev->nonce,
			     .nonce_size = ev->nonce_size,
			     .public_key = ev->public_key,
			     .public_key_size = ev->public_key_size,
			     .ak_public = ev->has_vtpm ? ev->ak_public : NULL,
			     .ak_public_size = ev->ak_public_size };
	bool fits = a->policy != NULL && appraise_tee_fits(a);
	struct snp_certs none = { 0 };
	uint8_t want[64];
	struct err e = { 0 };

	int bound = binding_sha512(&b, want, &e);
	struct snp_appraisal s = {
		.report = ev->report,
		.report_size = ev->report_size,
		.cert_table = ev->cert_table,
		.cert_table_size = ev->cert_table_size,
		.certs = a->certs != NULL ? a->certs : &none,
		.trust_root = a->trust_root,
		.now = a->now,
		.policy = fits ? &a->policy->snp : NULL,
		.reference = fits ? a->snp_reference : NULL,
		.report_data = bound == 0 ? want : NULL,
		.checks = a->checks,
	};
	check_snp(&s);
	snp_certs_free(&none);
	/* Without it the report would be anyone's; evidence_parse makes it impossible. */
	if (bound < 0)
		check_fail_err(a->checks, "snp.binding", &e);
}

static void note_claims(const struct appraisal *a)
{
	const struct evidence *ev = a->evidence;

	if (ev->claim_vm[0] != '\0' || ev->claim_isolation[0] != '\0')
		check_skip(a->checks, "host.claims",
			   "the host says vm \"%s\", isolation \"%s\": untrusted, not used",
			   ev->claim_vm, ev->claim_isolation);
	else
		check_skip(a->checks, "host.claims", "none made");
}

int appraise(const struct appraisal *a, struct err *e)
{
	int r = 0;

	check_pass(a->checks, "evidence.form", "pavise-evidence 0", "every field keeps its form");
	check_policy(a);
	check_nonce(a);
	check_agent_key(a);
	check_tee(a);
	if (a->evidence->tee == EVIDENCE_SNP) {
		a->checks->scope = SNP_SCOPE;
		check_report(a);
		check_host_vtpm(a);
	} else {
		r = check_vtpm(a, e);
	}
	if (r == 0)
		note_claims(a);
	return r;
}
