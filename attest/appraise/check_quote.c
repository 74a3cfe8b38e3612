/* Checks of a bundle's vTPM: its key, its quote and what the quote covers. */
#include "attest/appraise/appraise.h"

#include "attest/appraise/appraise_common.h"
#include "attest/appraise/check_tpm.h"
#include "common/bytes.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRMWARE_PCRS 0xFFu /* PCR 0..7 */

static void check_provenance(const struct appraisal *a, const struct quote_case *c)
{
	const struct policy *p = a->policy;
	char have[65];
	bool found = false;

	hex_encode(c->ak.area_sha256, sizeof(c->ak.area_sha256), have);
	if (p->ak_count == 0 && p->tpm.ak_sha256.count == 0) {
		if (a->evidence->tee != EVIDENCE_PLAIN)
			check_skip(
				a->checks, "ak.provenance",
				"the report covers this key; that the vTPM on the host is honest "
				"it cannot say");
		else if (p->tpm.require_provenance && appraise_unjudged(a) == NULL)
			check_fail(
				a->checks, "ak.provenance", EX_REFUSED, have, "a pinned key",
				"nothing but the host vouches for the vTPM, and the policy pins no "
				"key");
		else
			check_skip(
				a->checks, "ak.provenance",
				"the vTPM runs on the host; nothing but the host vouches for it");
		return;
	}
	for (size_t i = 0; i < p->ak_count; i++)
		found |= CRYPTO_memcmp(p->ak_sha256[i], c->ak.area_sha256, 32) == 0;
	found |= policy_digest_listed(&p->tpm.ak_sha256, c->ak.area_sha256, 32);
	found |= policy_digest_listed(&p->tpm.ak_sha256, c->ak.spki_sha256, 32);
	if (found && c->ak_ok)
		check_pass(a->checks, "ak.provenance", have, "a key that the policy pins");
	else
		check_fail(a->checks, "ak.provenance", EX_UNAUTHENTIC, have,
			   "one of the policy's ak_sha256", "not a key that the policy pins");
}

static void check_binding(const struct appraisal *a, const struct quote_case *c)
{
	const struct evidence *ev = a->evidence;
	struct binding b = { .nonce = ev->nonce,
			     .nonce_size = ev->nonce_size,
			     .public_key = ev->public_key,
			     .public_key_size = ev->public_key_size,
			     .ak_public = ev->ak_public,
			     .ak_public_size = ev->ak_public_size };
	uint8_t want[32];
	struct err e = { 0 };

	if (binding_sha256(&b, want, &e) < 0)
		check_fail_err(a->checks, "quote.binding", &e);
	else
		check_quote_extra(c, want, sizeof(want),
				  "the digest of nonce, agent key and attestation key");
}

static uint32_t selected(const struct tpm_quote *q, enum expect_bank bank)
{
	for (uint32_t i = 0; i < q->selection_count; i++)
		if (q->selection[i].alg == expect_bank_alg(bank))
			return q->selection[i].pcrs;
	return 0;
}

static void check_selection(const struct appraisal *a, const struct tpm_appraisal *t)
{
	const struct quote_case *c = &t->quote;

	if (!c->quote_ok) {
		check_skip(a->checks, "quote.selection", "there is no well-formed quote");
		return;
	}
	for (unsigned i = 0; i < EXPECT_BANKS; i++) {
		enum expect_bank bank = (enum expect_bank)i;
		uint32_t quoted = selected(&c->quote, bank);
		const char *name = tpm_alg_name(expect_bank_alg(bank));
		char have[32], need[32];

		snprintf(have, sizeof(have), "%s %06x", name, quoted);
		snprintf(need, sizeof(need), "%s %06x", name, a->evidence->pcrs[bank].given);
		if (quoted != a->evidence->pcrs[bank].given) {
			check_fail(a->checks, "quote.selection", EX_UNAUTHENTIC, have, need,
				   "the quote covers other PCRs than the evidence gives");
			return;
		}
		if (appraise_bank(a, bank) && (quoted & FIRMWARE_PCRS) != FIRMWARE_PCRS) {
			check_fail(a->checks, "quote.selection", EX_REFUSED, have, "0000ff",
				   "the quote does not cover PCR 0 to 7 of bank %s", name);
			return;
		}
	}
	if (t->unjudged != NULL || check_tpm_demands(t))
		check_pass(a->checks, "quote.selection", NULL,
			   "covers PCR 0 to 7 in every bank demanded");
}

/* The values as evidence carries them: two banks. */
static void take_values(const struct evidence *ev, struct tpm_pcrs *out)
{
	memset(out, 0, sizeof(*out));
	for (unsigned i = 0; i < EXPECT_BANKS; i++) {
		struct tpm_pcr_bank *bank = &out->bank[out->count++];
		bank->alg = expect_bank_alg((enum expect_bank)i);
		bank->given = ev->pcrs[i].given;
		for (unsigned n = 0; n < TPM_PCR_COUNT; n++)
			memcpy(bank->value[n], ev->pcrs[i].value[n], tpm_alg_size(bank->alg));
	}
}

static void make_checks(const struct appraisal *a, struct tpm_appraisal *t)
{
	struct quote_case *c = &t->quote;
	const struct evidence *ev = a->evidence;

	c->checks = a->checks;
	c->key = (struct quote_bytes){ ev->ak_public, ev->ak_public_size };
	c->attest = (struct quote_bytes){ ev->quote, ev->quote_size };
	c->signature = (struct quote_bytes){ ev->signature, ev->signature_size };
	check_ak_form(c);
	check_provenance(a, c);
	check_quote_form(c);
	check_quote_signature(c);
	check_binding(a, c);
	check_selection(a, t);
	t->pcrs_ok = check_quote_digest(c, &t->pcrs);
	check_tpm_clock(t);
	if (t->unjudged == NULL)
		check_tpm_listed(t);
	quote_case_free(c);
}

void check_quote(const struct appraisal *a)
{
	struct tpm_appraisal *t = calloc(1, sizeof(*t));

	if (t == NULL) {
		check_fail(a->checks, "quote.form", EX_INTERNAL, NULL, NULL, "out of memory");
		return;
	}
	t->checks = a->checks;
	t->policy = a->policy;
	t->unjudged = a->evidence->tee != EVIDENCE_PLAIN ? HOST_VTPM : appraise_unjudged(a);
	take_values(a->evidence, &t->pcrs);
	make_checks(a, t);
	free(t);
}
