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

static int check_vtpm(const struct appraisal *a, struct err *e)
{
	if (a->evidence->has_vtpm) {
		check_pass(a->checks, "vtpm.present", "host",
			   "a vTPM that runs on the host measured the boot");
		check_quote(a);
		check_event_log(a);
		return check_reference(a, e);
	}
	check_fail(a->checks, "vtpm.present", EX_REFUSED, "none", "a vTPM",
		   "nothing measured the boot of this machine: start it with a vTPM");
	for (size_t i = 0; i < sizeof(vtpm_checks) / sizeof(vtpm_checks[0]); i++)
		check_skip(a->checks, vtpm_checks[i], "the evidence has no vTPM");
	return 0;
}

static void note_claims(const struct appraisal *a)
{
	const struct evidence *ev = a->evidence;

	check_skip(a->checks, "tee.evidence", "plain VM: no TEE, the host is trusted");
	if (ev->claim_vm[0] != '\0' || ev->claim_isolation[0] != '\0')
		check_skip(a->checks, "host.claims",
			   "the host says vm \"%s\", isolation \"%s\": untrusted, not used",
			   ev->claim_vm, ev->claim_isolation);
	else
		check_skip(a->checks, "host.claims", "none made");
}

int appraise(const struct appraisal *a, struct err *e)
{
	check_pass(a->checks, "evidence.form", "pavise-evidence 0", "every field keeps its form");
	check_policy(a);
	check_nonce(a);
	check_agent_key(a);
	int r = check_vtpm(a, e);
	if (r < 0)
		return r;
	note_claims(a);
	return 0;
}
