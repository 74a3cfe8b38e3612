#include "attest/appraise/check_tpm.h"

#include "common/bytes.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

static bool is_pinned(const struct tpm_appraisal *a, const uint8_t digest[32])
{
	const struct policy *p = a->policy;
	bool found = policy_digest_listed(&p->tpm.ak_sha256, digest, 32);

	for (size_t i = 0; i < p->ak_count; i++)
		found |= CRYPTO_memcmp(p->ak_sha256[i], digest, 32) == 0;
	return found;
}

static bool key_is_pinned(const struct tpm_appraisal *a)
{
	const struct tpm_key *k = &a->quote.ak;
	bool found = is_pinned(a, k->spki_sha256);

	return (k->form == TPM_KEY_AREA && is_pinned(a, k->area_sha256)) || found;
}

static void check_chain(const struct tpm_appraisal *a)
{
	struct err e = { 0 };

	if (tpm_key_chain(&a->quote.ak, a->chain, sk_X509_value(a->roots, 0), a->request->now, &e) <
	    0) {
		check_fail_err(a->checks, "ak.provenance", &e);
		check_tell(a->checks, NULL, NULL,
			   "give the key's certificate with --ak or --chain, its issuers with "
			   "--chain");
		return;
	}
	check_pass(a->checks, "ak.provenance", NULL, "certified under the trusted root");
}

/* A pin is enough; a root, when one is given, is the other way. The composite binding (a report of
 * a TEE that covers the key) is a bundle's. */
void check_tpm_provenance(struct tpm_appraisal *a)
{
	const struct policy *p = a->policy;
	bool pins = p->ak_count > 0 || p->tpm.ak_sha256.count > 0;
	char have[65];

	if (!a->quote.ak_ok) {
		check_skip(a->checks, "ak.provenance", "the attestation key is malformed");
		return;
	}
	hex_encode(a->quote.ak.form == TPM_KEY_AREA ? a->quote.ak.area_sha256
						    : a->quote.ak.spki_sha256,
		   32, have);
	if (pins && key_is_pinned(a))
		check_pass(a->checks, "ak.provenance", have, "a key that the policy pins");
	else if (sk_X509_num(a->roots) > 0)
		check_chain(a);
	else if (pins)
		check_fail(a->checks, "ak.provenance", EX_UNAUTHENTIC, have,
			   "one of the policy's ak_sha256", "not a key that the policy pins");
	else if (p->tpm.require_provenance && a->unjudged == NULL)
		check_fail(a->checks, "ak.provenance", EX_REFUSED, have,
			   "a key that is vouched for",
			   "the policy neither pins keys nor is a trusted root given");
	else
		check_skip(a->checks, "ak.provenance",
			   "the key is taken as given: nothing else vouches for it");
}

void check_tpm_nonce(const struct tpm_appraisal *a)
{
	const struct request *r = a->request;
	const struct tpm_quote *q = &a->quote.quote;

	if (r->nonce == NULL) {
		if (a->policy->require_nonce)
			check_fail(a->checks, "freshness", EX_REFUSED, "no --nonce", "--nonce HEX",
				   "the policy wants fresh evidence: give the nonce you chose");
		else
			check_skip(a->checks, "freshness", "no --nonce given");
		check_skip(a->checks, "quote.binding", "no --nonce given");
		return;
	}
	if (!a->quote.quote_ok)
		check_skip(a->checks, "freshness", "there is no well-formed quote");
	else if (q->extra_size == r->nonce_size &&
		 CRYPTO_memcmp(q->extra_data, r->nonce, r->nonce_size) == 0)
		check_pass(a->checks, "freshness", NULL, "the nonce is the one given");
	else
		check_fail(a->checks, "freshness", EX_UNAUTHENTIC, NULL, NULL,
			   "another nonce: an old quote, or made for someone else");
	check_quote_extra(&a->quote, r->nonce, r->nonce_size, "the nonce given");
}

static uint32_t selected(const struct tpm_quote *q, uint16_t alg)
{
	for (uint32_t i = 0; i < q->selection_count; i++)
		if (q->selection[i].alg == alg)
			return q->selection[i].pcrs;
	return 0;
}

/* SHA-1 has been broken: whoever chooses what is measured may choose two things of one digest. */
static bool bank_counts(const struct tpm_appraisal *a, uint16_t alg)
{
	return tpm_alg_size(alg) != 0 && (alg != TPM_ALG_SHA1 || a->policy->tpm.allow_sha1);
}

static void fail_selection(const struct tpm_appraisal *a, uint16_t alg, uint32_t need)
{
	char have_text[32], need_text[32];

	snprintf(have_text, sizeof(have_text), "%s %06x", tpm_alg_name(alg),
		 selected(&a->quote.quote, alg));
	snprintf(need_text, sizeof(need_text), "%s %06x", tpm_alg_name(alg), need);
	check_fail(a->checks, "quote.selection", EX_REFUSED, have_text, need_text,
		   "the quote does not cover the PCRs that the policy demands of bank %s",
		   tpm_alg_name(alg));
}

bool check_tpm_demands(const struct tpm_appraisal *a)
{
	const struct tpm_policy *p = &a->policy->tpm;
	uint32_t need = (uint32_t)(p->quoted & 0xFFFFFF);

	for (unsigned i = 0; i <= TPM_BANK_SHA512; i++) {
		uint16_t alg = policy_tpm_bank_alg((enum tpm_policy_bank)i);
		if (!p->banks.given || (p->banks.set >> i & 1) == 0)
			continue;
		if ((selected(&a->quote.quote, alg) & need) != need ||
		    selected(&a->quote.quote, alg) == 0) {
			fail_selection(a, alg, need);
			return false;
		}
	}
	return true;
}

void check_tpm_selection(const struct tpm_appraisal *a)
{
	const struct tpm_quote *q = &a->quote.quote;
	uint32_t need = (uint32_t)(a->policy->tpm.quoted & 0xFFFFFF);
	bool covered = false;

	if (!a->quote.quote_ok) {
		check_skip(a->checks, "quote.selection", "there is no well-formed quote");
		return;
	}
	if (a->unjudged != NULL) {
		check_skip(a->checks, "quote.selection", "%s", a->unjudged);
		return;
	}
	if (!check_tpm_demands(a))
		return;
	for (uint32_t i = 0; i < q->selection_count; i++)
		covered |= bank_counts(a, q->selection[i].alg) && q->selection[i].pcrs != 0 &&
			   (q->selection[i].pcrs & need) == need;
	if (covered)
		check_pass(a->checks, "quote.selection", NULL,
			   "covers the PCRs that the policy demands");
	else
		check_fail(a->checks, "quote.selection", EX_REFUSED, NULL, NULL,
			   "no bank that counts covers the PCRs demanded (mask %06x; SHA-1 counts "
			   "with tpm.allow_sha1 only)",
			   need);
}

static const uint8_t *value_of(const struct tpm_appraisal *a, uint16_t alg, unsigned pcr)
{
	const struct tpm_pcr_bank *bank = tpm_pcrs_bank(&a->pcrs, alg);

	/* What the quote does not select, it does not vouch for. */
	if (bank == NULL || (bank->given & selected(&a->quote.quote, alg) & 1u << pcr) == 0)
		return NULL;
	return bank->value[pcr];
}

static void check_value(const struct tpm_appraisal *a, uint16_t alg, unsigned pcr, bool accepted,
			const char *need)
{
	const uint8_t *value = value_of(a, alg, pcr);
	char id[32], have[2 * TPM_DIGEST_MAX + 1] = "not quoted", component[16];

	snprintf(id, sizeof(id), "pcr.%s.%u", tpm_alg_name(alg), pcr);
	snprintf(component, sizeof(component), "pcr %u", pcr);
	if (value != NULL)
		hex_encode(value, tpm_alg_size(alg), have);
	if (accepted)
		check_pass(a->checks, id, have, "a value that the policy accepts");
	else
		check_fail(a->checks, id, EX_REFUSED, have, need,
			   "PCR %u (%s): not a value that the policy accepts", pcr,
			   tpm_alg_name(alg));
	check_tell(a->checks, component, NULL, NULL);
}

void check_tpm_listed(const struct tpm_appraisal *a)
{
	const struct policy_pcrs *p = &a->policy->tpm.pcrs;

	for (unsigned bank = 0; bank < POLICY_PCR_BANKS; bank++)
		for (unsigned pcr = 0; pcr < TPM_PCR_COUNT; pcr++) {
			const uint8_t *value = value_of(a, policy_pcrs_alg(bank), pcr);
			if ((p->bank[bank].given >> pcr & 1) == 0)
				continue;
			check_value(a, policy_pcrs_alg(bank), pcr,
				    value != NULL && policy_pcrs_accept(p, bank, pcr, value),
				    "one of the policy's tpm.pcrs");
		}
}

/* The policy's "reference": one value for each of PCR 0 to 7. */
static void check_reference_values(const struct tpm_appraisal *a)
{
	for (unsigned i = 0; i < EXPECT_BANKS; i++) {
		uint16_t alg = expect_bank_alg((enum expect_bank)i);
		const struct pcr_values *want = &a->policy->reference[i];
		for (unsigned pcr = 0; a->policy->bank[i] && pcr < EXPECT_PCRS; pcr++) {
			const uint8_t *value = value_of(a, alg, pcr);
			char need[97];
			hex_encode(want->value[pcr], tpm_alg_size(alg), need);
			check_value(a, alg, pcr,
				    value != NULL && CRYPTO_memcmp(value, want->value[pcr],
								   tpm_alg_size(alg)) == 0,
				    need);
		}
	}
}

static void check_references(const struct tpm_appraisal *a)
{
	const struct policy *p = a->policy;
	bool stated = !p->has_plan && (p->bank[EXPECT_SHA256] || p->bank[EXPECT_SHA384]);

	if (a->unjudged != NULL) {
		check_skip(a->checks, "reference.pcrs", "%s", a->unjudged);
	} else if (p->has_plan) {
		check_fail(a->checks, "reference.pcrs", EX_REFUSED, "a plan", "PCR values",
			   "a plan's values are compared in bundles only");
		check_tell(a->checks, NULL, NULL, "state values in the policy: tpm.pcrs");
	} else if (stated || policy_pcrs_given(&p->tpm.pcrs)) {
		if (stated)
			check_reference_values(a);
		check_tpm_listed(a);
	} else if (p->tpm.require_reference) {
		check_fail(a->checks, "reference.pcrs", EX_REFUSED, "none", "PCR values",
			   "the policy demands reference values and has none");
	} else {
		check_skip(a->checks, "reference.pcrs",
			   "no reference values: what was booted was not judged");
		a->checks->no_reference = true;
	}
}

void check_tpm_values(struct tpm_appraisal *a)
{
	const struct request *r = a->request;
	struct err e = { 0 };

	a->pcrs_given = r->pcrs.data != NULL;
	if (!a->quote.quote_ok) {
		check_skip(a->checks, "quote.pcr_digest", "there is no well-formed quote");
	} else if (!a->pcrs_given) {
		check_skip(a->checks, "quote.pcr_digest", "no PCR values given (--pcrs)");
	} else if (tpm_pcrs_parse(r->pcrs.data, r->pcrs.size, &a->quote.quote, &a->pcrs, &e) < 0) {
		check_fail_err(a->checks, "quote.pcr_digest", &e);
		memset(&a->pcrs, 0, sizeof(a->pcrs));
	} else {
		a->pcrs_ok = check_quote_digest(&a->quote, &a->pcrs);
	}
	/* Values that are not the quoted ones have nothing to say: then each has none. */
	if (!a->pcrs_ok)
		memset(&a->pcrs, 0, sizeof(a->pcrs));
	check_references(a);
}

void check_tpm_clock(const struct tpm_appraisal *a)
{
	const struct tpm_quote *q = &a->quote.quote;

	if (!a->quote.quote_ok)
		check_skip(a->checks, "quote.clock", "there is no well-formed quote");
	else if (a->unjudged != NULL)
		check_skip(a->checks, "quote.clock", "%s", a->unjudged);
	else if (!a->policy->tpm.require_safe_clock)
		check_skip(a->checks, "quote.clock", "%s; the policy does not ask",
			   q->safe ? "safe" : "not safe");
	else if (q->safe)
		check_pass(a->checks, "quote.clock", "safe", "the TPM's clock never went back");
	else
		check_fail(a->checks, "quote.clock", EX_REFUSED, "not safe", "safe",
			   "the TPM may have reported a later clock value before");
}

void check_tpm_log(const struct tpm_appraisal *a)
{
	struct log_case c = { .checks = a->checks,
			      .data = a->request->event_log.data,
			      .size = a->request->event_log.size,
			      .allow_sha1 = a->policy->tpm.allow_sha1,
			      .policy = &a->policy->log,
			      .unjudged = a->unjudged };

	if (c.data != NULL && !a->pcrs_ok) {
		skip_log_checks(a->checks, "there are no quoted PCR values to hold it against");
		return;
	}
	for (size_t i = 0; i < a->pcrs.count; i++) {
		const struct tpm_pcr_bank *from = &a->pcrs.bank[i];
		struct log_bank *to = &c.bank[c.bank_count++];
		to->alg = from->alg;
		to->given = from->given & selected(&a->quote.quote, from->alg);
		for (unsigned n = 0; n < TPM_PCR_COUNT; n++)
			to->value[n] = from->value[n];
	}
	check_log_case(&c);
}

static void claim_values(const struct tpm_appraisal *a)
{
	char name[48];
	unsigned count = 0;

	for (size_t i = 0; i < a->pcrs.count; i++)
		for (unsigned n = 0; n < TPM_PCR_COUNT; n++) {
			const uint8_t *value = value_of(a, a->pcrs.bank[i].alg, n);
			/* Four banks: more would leave no room for other claims. */
			if (value == NULL || count++ >= 4 * TPM_PCR_COUNT)
				continue;
			snprintf(name, sizeof(name), "tpm.pcr.%s.%u",
				 tpm_alg_name(a->pcrs.bank[i].alg), n);
			claim_hex(a->checks, name, value, tpm_alg_size(a->pcrs.bank[i].alg));
		}
}

void claim_tpm(const struct tpm_appraisal *a)
{
	const struct tpm_quote *q = &a->quote.quote;
	struct checks *c = a->checks;
	char name[48], text[24];

	if (a->quote.ak_ok) {
		if (a->quote.ak.form == TPM_KEY_AREA)
			claim_hex(c, "tpm.ak.area_sha256", a->quote.ak.area_sha256, 32);
		claim_hex(c, "tpm.ak.spki_sha256", a->quote.ak.spki_sha256, 32);
	}
	if (!a->quote.quote_ok)
		return;
	if (q->signer_size <= TPM_DIGEST_MAX + 2)
		claim_hex(c, "tpm.qualified_signer", q->signer, q->signer_size);
	if (q->extra_size <= TPM_DIGEST_MAX + 2)
		claim_hex(c, "tpm.extra_data", q->extra_data, q->extra_size);
	claim_number(c, "tpm.clock", q->clock);
	claim_number(c, "tpm.reset_count", q->reset_count);
	claim_number(c, "tpm.restart_count", q->restart_count);
	claim_text(c, "tpm.safe", q->safe ? "true" : "false");
	snprintf(text, sizeof(text), "%016llx", (unsigned long long)q->firmware_version);
	claim_text(c, "tpm.firmware_version", text);
	for (uint32_t i = 0; i < q->selection_count; i++) {
		if (tpm_alg_name(q->selection[i].alg) == NULL)
			continue;
		snprintf(name, sizeof(name), "tpm.selection.%s", tpm_alg_name(q->selection[i].alg));
		snprintf(text, sizeof(text), "%06x", q->selection[i].pcrs);
		claim_text(c, name, text);
	}
	if (q->pcr_digest_size <= TPM_DIGEST_MAX)
		claim_hex(c, "tpm.pcr_digest", q->pcr_digest, q->pcr_digest_size);
	claim_values(a);
}
