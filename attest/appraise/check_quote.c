/* Checks of the vTPM's key, of its quote and of what the quote covers. */
#include "attest/appraise/appraise.h"

#include "common/bytes.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#define FIRMWARE_PCRS 0xFFu /* PCR 0..7 */

/* Outcome of a parse: parsed, and what went wrong if not. */
struct parsed {
	struct tpm_public ak;
	struct tpm_quote quote;
	struct tpm_signature signature;
	bool ak_ok, quote_ok, signature_ok;
};

static void check_ak(const struct appraisal *a, struct parsed *p)
{
	struct err e = { 0 };

	p->ak_ok = tpm_public_parse(a->evidence->ak_public, a->evidence->ak_public_size, &p->ak,
				    &e) == 0;
	if (!p->ak_ok || tpm_public_check_ak(&p->ak, &e) < 0)
		check_fail_err(a->checks, "ak.form", &e);
	else
		check_pass(a->checks, "ak.form", NULL, "restricted signing key, %s %u bits",
			   p->ak.type == TPM_ALG_RSA ? "RSA" : "ECC", p->ak.bits);
}

static void check_provenance(const struct appraisal *a)
{
	const struct evidence *ev = a->evidence;
	uint8_t digest[32];
	char have[65];
	bool found = false;

	if (a->policy->ak_count == 0) {
		check_skip(a->checks, "ak.provenance",
			   "the vTPM runs on the host; nothing but the host vouches for it");
		return;
	}
	if (!EVP_Digest(ev->ak_public, ev->ak_public_size, digest, NULL, EVP_sha256(), NULL))
		memset(digest, 0, sizeof(digest));
	hex_encode(digest, sizeof(digest), have);
	for (size_t i = 0; i < a->policy->ak_count; i++)
		found |= CRYPTO_memcmp(a->policy->ak_sha256[i], digest, sizeof(digest)) == 0;
	if (found)
		check_pass(a->checks, "ak.provenance", have, "a key that the policy pins");
	else
		check_fail(a->checks, "ak.provenance", EX_UNAUTHENTIC, have,
			   "one of the policy's ak_sha256", "not a key that the policy pins");
}

static void check_form(const struct appraisal *a, struct parsed *p)
{
	struct err e = { 0 };
	char have[32];

	if (tpm_quote_parse(a->evidence->quote, a->evidence->quote_size, &p->quote, &e) < 0) {
		check_fail_err(a->checks, "quote.form", &e);
		return;
	}
	snprintf(have, sizeof(have), "%08x %04x", p->quote.magic, p->quote.type);
	p->quote_ok = p->quote.magic == TPM_GENERATED_VALUE && p->quote.type == TPM_ST_ATTEST_QUOTE;
	/* The magic is what a restricted key promises never to sign for anyone but the TPM. */
	if (p->quote_ok)
		check_pass(a->checks, "quote.form", have, "made by a TPM, of type quote");
	else
		check_fail(a->checks, "quote.form", EX_UNAUTHENTIC, have, "ff544347 8018",
			   "not a quote made by a TPM");
}

static void check_signature(const struct appraisal *a, struct parsed *p)
{
	const struct evidence *ev = a->evidence;
	struct err e = { 0 };

	p->signature_ok =
		tpm_signature_parse(ev->signature, ev->signature_size, &p->signature, &e) == 0;
	if (!p->signature_ok) {
		check_fail_err(a->checks, "quote.signature", &e);
		return;
	}
	if (!p->ak_ok) {
		check_skip(a->checks, "quote.signature", "the attestation key is malformed");
		return;
	}
	if (p->signature.alg != p->ak.scheme || p->signature.hash != p->ak.scheme_hash) {
		check_fail(a->checks, "quote.signature", EX_UNAUTHENTIC, NULL, NULL,
			   "scheme 0x%04x with hash 0x%04x, the key signs with 0x%04x and 0x%04x",
			   p->signature.alg, p->signature.hash, p->ak.scheme, p->ak.scheme_hash);
		return;
	}
	if (tpm_signature_verify(p->ak.key, &p->signature, ev->quote, ev->quote_size, &e) < 0)
		check_fail_err(a->checks, "quote.signature", &e);
	else
		check_pass(a->checks, "quote.signature", NULL, "holds under the attestation key");
}

static void check_binding(const struct appraisal *a, const struct parsed *p)
{
	const struct evidence *ev = a->evidence;
	struct binding b = { .nonce = ev->nonce,
			     .nonce_size = ev->nonce_size,
			     .public_key = ev->public_key,
			     .public_key_size = ev->public_key_size,
			     .ak_public = ev->ak_public,
			     .ak_public_size = ev->ak_public_size };
	uint8_t want[32];
	char have[2 * TPM_DIGEST_MAX + 1] = "", need[65];
	struct err e = { 0 };

	if (!p->quote_ok) {
		check_skip(a->checks, "quote.binding", "there is no well-formed quote");
		return;
	}
	if (binding_sha256(&b, want, &e) < 0) {
		check_fail_err(a->checks, "quote.binding", &e);
		return;
	}
	if (p->quote.extra_size <= TPM_DIGEST_MAX)
		hex_encode(p->quote.extra_data, p->quote.extra_size, have);
	hex_encode(want, sizeof(want), need);
	if (p->quote.extra_size == sizeof(want) &&
	    CRYPTO_memcmp(p->quote.extra_data, want, sizeof(want)) == 0)
		check_pass(a->checks, "quote.binding", have,
			   "extraData binds nonce, agent key and attestation key");
	else
		check_fail(a->checks, "quote.binding", EX_UNAUTHENTIC, have, need,
			   "extraData is not the digest of nonce, agent key and attestation key");
}

static uint32_t selected(const struct tpm_quote *q, enum expect_bank bank)
{
	for (uint32_t i = 0; i < q->selection_count; i++)
		if (q->selection[i].alg == expect_bank_alg(bank))
			return q->selection[i].pcrs;
	return 0;
}

static void check_selection(const struct appraisal *a, const struct parsed *p)
{
	if (!p->quote_ok) {
		check_skip(a->checks, "quote.selection", "there is no well-formed quote");
		return;
	}
	for (unsigned i = 0; i < EXPECT_BANKS; i++) {
		enum expect_bank bank = (enum expect_bank)i;
		uint32_t quoted = selected(&p->quote, bank);
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
	check_pass(a->checks, "quote.selection", NULL, "covers PCR 0 to 7 in every bank demanded");
}

/* H over the values given, banks in the quote's order (Part 1, "PCR digest"). 0 or -1. */
static int digest_pcrs(const struct appraisal *a, const struct parsed *p, uint8_t *out)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	int ok = md != NULL && EVP_DigestInit_ex(md, tpm_alg_md(p->signature.hash), NULL);

	for (uint32_t i = 0; ok && i < p->quote.selection_count; i++) {
		uint16_t alg = p->quote.selection[i].alg;
		if (alg != TPM_ALG_SHA256 && alg != TPM_ALG_SHA384) {
			/* A bank whose values no evidence can carry: selected PCRs of it make
			 * the digest one we cannot compute. */
			ok = p->quote.selection[i].pcrs == 0;
			continue;
		}
		const struct pcr_values *v =
			&a->evidence->pcrs[alg == TPM_ALG_SHA256 ? EXPECT_SHA256 : EXPECT_SHA384];
		for (unsigned n = 0; ok && n < TPM_PCR_COUNT; n++)
			if ((p->quote.selection[i].pcrs >> n & 1) != 0)
				ok = EVP_DigestUpdate(md, v->value[n], tpm_alg_size(alg));
	}
	ok = ok && EVP_DigestFinal_ex(md, out, NULL);
	EVP_MD_CTX_free(md);
	return ok ? 0 : -1;
}

static void check_digest(const struct appraisal *a, const struct parsed *p)
{
	uint8_t want[TPM_DIGEST_MAX];
	char have[2 * TPM_DIGEST_MAX + 1] = "", need[2 * TPM_DIGEST_MAX + 1] = "";

	if (!p->quote_ok || !p->signature_ok) {
		check_skip(a->checks, "quote.pcr_digest", "there is no well-formed quote");
		return;
	}
	size_t size = tpm_alg_size(p->signature.hash);
	if (digest_pcrs(a, p, want) < 0) {
		check_fail(a->checks, "quote.pcr_digest", EX_UNAUTHENTIC, NULL, NULL,
			   "the quote covers a bank whose values the evidence cannot carry");
		return;
	}
	if (p->quote.pcr_digest_size <= TPM_DIGEST_MAX)
		hex_encode(p->quote.pcr_digest, p->quote.pcr_digest_size, have);
	hex_encode(want, size, need);
	if (p->quote.pcr_digest_size == size && CRYPTO_memcmp(p->quote.pcr_digest, want, size) == 0)
		check_pass(a->checks, "quote.pcr_digest", have, "the PCR values are those quoted");
	else
		check_fail(a->checks, "quote.pcr_digest", EX_UNAUTHENTIC, have, need,
			   "the PCR values given are not those quoted");
}

void check_quote(const struct appraisal *a)
{
	struct parsed p = { 0 };

	check_ak(a, &p);
	check_provenance(a);
	check_form(a, &p);
	check_signature(a, &p);
	check_binding(a, &p);
	check_selection(a, &p);
	check_digest(a, &p);
	tpm_public_free(&p.ak);
}
