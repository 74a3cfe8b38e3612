#include "attest/appraise/quote_case.h"

#include "common/bytes.h"

#include <openssl/crypto.h>
#include <stdio.h>

static int parse_key(struct quote_case *c, struct err *e)
{
	return c->any_form ? tpm_key_parse(c->key.data, c->key.size, &c->ak, e)
			   : tpm_key_parse_area(c->key.data, c->key.size, &c->ak, e);
}

void check_ak_form(struct quote_case *c)
{
	struct err e = { 0 };

	c->ak_ok = parse_key(c, &e) == 0;
	if (!c->ak_ok || tpm_key_check(&c->ak, &e) < 0)
		check_fail_err(c->checks, "ak.form", &e);
	else if (c->ak.form == TPM_KEY_AREA)
		check_pass(c->checks, "ak.form", NULL, "restricted signing key, %s %u bits",
			   c->ak.area.type == TPM_ALG_RSA ? "RSA" : "ECC", c->ak.area.bits);
	else
		check_skip(
			c->checks, "ak.form",
			"%s of %d bits: whoever vouches for it must know that it is a restricted "
			"signing key",
			c->ak.form == TPM_KEY_SPKI ? "a bare public key" : "a certificate's key",
			EVP_PKEY_get_bits(c->ak.key));
}

void check_quote_form(struct quote_case *c)
{
	struct err e = { 0 };
	char have[32];

	if (c->any_form)
		tpm_unwrap(&c->attest.data, &c->attest.size);
	if (tpm_quote_parse(c->attest.data, c->attest.size, &c->quote, &e) < 0) {
		check_fail_err(c->checks, "quote.form", &e);
		return;
	}
	snprintf(have, sizeof(have), "%08x %04x", c->quote.magic, c->quote.type);
	c->quote_ok = c->quote.magic == TPM_GENERATED_VALUE && c->quote.type == TPM_ST_ATTEST_QUOTE;
	/* The magic is what a restricted key promises never to sign for anyone but the TPM. */
	if (c->quote_ok)
		check_pass(c->checks, "quote.form", have, "made by a TPM, of type quote");
	else
		check_fail(c->checks, "quote.form", EX_UNAUTHENTIC, have, "ff544347 8018",
			   "not a quote made by a TPM");
}

/* A signature alone does not say how it was made. A public area does; a bare key leaves RSASSA and
 * ECDSA, the only schemes that need no other word, and the hash of the quote's PCR digest, which is
 * the one the TPM signs with (Part 3, TPM2_Quote). */
static int parse_bare_signature(struct quote_case *c, struct err *e)
{
	uint16_t scheme = EVP_PKEY_is_a(c->ak.key, "EC") ? TPM_ALG_ECDSA : TPM_ALG_RSASSA, hash;

	if (c->ak.form == TPM_KEY_AREA) {
		scheme = c->ak.area.scheme;
		hash = c->ak.area.scheme_hash;
	} else {
		size_t n = c->quote_ok ? c->quote.pcr_digest_size : 0;
		hash = n == 32 ? TPM_ALG_SHA256 : n == 48 ? TPM_ALG_SHA384 : TPM_ALG_SHA512;
		if (n != 32 && n != 48 && n != 64)
			return err_set(
				e, EX_MALFORMED,
				"signature: no TPMT_SIGNATURE, and no quote says which hash");
	}
	return tpm_signature_take_raw(c->signature.data, c->signature.size, c->ak.key, scheme, hash,
				      &c->parsed_signature, e);
}

static int parse_signature(struct quote_case *c, struct err *e)
{
	struct err whole = { 0 }, bare = { 0 };

	if (tpm_signature_parse(c->signature.data, c->signature.size, &c->parsed_signature,
				&whole) == 0)
		return 0;
	uint16_t alg = c->parsed_signature.alg;
	bool named = alg == TPM_ALG_RSASSA || alg == TPM_ALG_RSAPSS || alg == TPM_ALG_ECDSA;
	if (!c->any_form || !c->ak_ok)
		return err_set(e, EX_MALFORMED, "%s", whole.text);
	if (parse_bare_signature(c, &bare) == 0)
		return 0;
	return err_set(e, EX_MALFORMED, "%s", named ? whole.text : bare.text);
}

void check_quote_signature(struct quote_case *c)
{
	const struct tpm_signature *s = &c->parsed_signature;
	const struct tpm_public *area = &c->ak.area;
	struct err e = { 0 };

	c->signature_ok = parse_signature(c, &e) == 0;
	if (!c->signature_ok) {
		check_fail_err(c->checks, "quote.signature", &e);
		return;
	}
	if (!c->ak_ok) {
		check_skip(c->checks, "quote.signature", "the attestation key is malformed");
		return;
	}
	if (c->ak.form == TPM_KEY_AREA &&
	    (s->alg != area->scheme || s->hash != area->scheme_hash)) {
		check_fail(c->checks, "quote.signature", EX_UNAUTHENTIC, NULL, NULL,
			   "scheme 0x%04x with hash 0x%04x, the key signs with 0x%04x and 0x%04x",
			   s->alg, s->hash, area->scheme, area->scheme_hash);
		return;
	}
	if (tpm_signature_verify(c->ak.key, s, c->attest.data, c->attest.size, &e) < 0)
		check_fail_err(c->checks, "quote.signature", &e);
	else
		check_pass(c->checks, "quote.signature", NULL, "holds under the attestation key");
}

void check_quote_extra(const struct quote_case *c, const uint8_t *want, size_t n, const char *what)
{
	const struct tpm_quote *q = &c->quote;
	char have[2 * TPM_DIGEST_MAX + 1] = "", need[2 * TPM_DIGEST_MAX + 1] = "";

	if (!c->quote_ok) {
		check_skip(c->checks, "quote.binding", "there is no well-formed quote");
		return;
	}
	if (q->extra_size <= TPM_DIGEST_MAX)
		hex_encode(q->extra_data, q->extra_size, have);
	if (n <= TPM_DIGEST_MAX)
		hex_encode(want, n, need);
	if (q->extra_size == n && CRYPTO_memcmp(q->extra_data, want, n) == 0)
		check_pass(c->checks, "quote.binding", have, "extraData is %s", what);
	else
		check_fail(c->checks, "quote.binding", EX_UNAUTHENTIC, have, need,
			   "extraData is not %s", what);
}

bool check_quote_digest(const struct quote_case *c, const struct tpm_pcrs *pcrs)
{
	const struct tpm_quote *q = &c->quote;
	uint8_t want[TPM_DIGEST_MAX];
	char have[2 * TPM_DIGEST_MAX + 1] = "", need[2 * TPM_DIGEST_MAX + 1] = "";
	struct err e = { 0 };

	if (!c->quote_ok || !c->signature_ok) {
		check_skip(c->checks, "quote.pcr_digest", "there is no well-formed quote");
		return false;
	}
	size_t size = tpm_alg_size(c->parsed_signature.hash);
	if (tpm_pcrs_digest(pcrs, q, c->parsed_signature.hash, want, &e) < 0) {
		check_fail_err(c->checks, "quote.pcr_digest", &e);
		return false;
	}
	if (q->pcr_digest_size <= TPM_DIGEST_MAX)
		hex_encode(q->pcr_digest, q->pcr_digest_size, have);
	hex_encode(want, size, need);
	bool same = q->pcr_digest_size == size && CRYPTO_memcmp(q->pcr_digest, want, size) == 0;
	if (same)
		check_pass(c->checks, "quote.pcr_digest", have, "the PCR values are those quoted");
	else
		check_fail(c->checks, "quote.pcr_digest", EX_UNAUTHENTIC, have, need,
			   "the PCR values given are not those quoted");
	return same;
}

void quote_case_free(struct quote_case *c)
{
	tpm_key_free(&c->ak);
}
