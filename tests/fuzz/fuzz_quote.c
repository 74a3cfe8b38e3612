/* Any bytes as the four files of a quote: lengths of key, attest structure and signature, 16 bits
 * each, then these and the PCR values. What parses lies inside the input, in the strict and in the
 * tolerant reading. */
#include "attest/appraise/quote_case.h"

#include "common/bytes.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(const struct quote_bytes *b, const uint8_t *p, size_t n)
{
	if (p != NULL && (p < b->data || n > b->size || p + n > b->data + b->size))
		abort();
}

static void look_at(const struct quote_case *c)
{
	const struct tpm_signature *s = &c->parsed_signature;

	if (c->quote_ok) {
		inside(&c->attest, c->quote.extra_data, c->quote.extra_size);
		inside(&c->attest, c->quote.signer, c->quote.signer_size);
		inside(&c->attest, c->quote.pcr_digest, c->quote.pcr_digest_size);
	}
	if (c->signature_ok && s->alg == TPM_ALG_ECDSA) {
		inside(&c->signature, s->r, s->r_size);
		inside(&c->signature, s->s, s->s_size);
	} else if (c->signature_ok) {
		inside(&c->signature, s->rsa, s->rsa_size);
	}
	if (c->ak_ok != (c->ak.key != NULL))
		abort();
}

static struct quote_bytes part(struct reader *r, size_t n)
{
	if (n > reader_left(r))
		n = reader_left(r);
	return (struct quote_bytes){ read_view(r, n), n };
}

static void run(bool any_form, struct reader r)
{
	static struct checks checks;
	static struct tpm_pcrs pcrs;
	struct quote_case c = { .checks = &checks, .any_form = any_form };
	struct err e = { 0 };
	uint16_t key = read_be16(&r), attest = read_be16(&r), signature = read_be16(&r);

	if (r.bad)
		return;
	c.key = part(&r, key);
	c.attest = part(&r, attest);
	c.signature = part(&r, signature);
	struct quote_bytes values = part(&r, reader_left(&r));
	checks.count = 0;
	check_ak_form(&c);
	check_quote_form(&c);
	check_quote_signature(&c);
	look_at(&c);
	if (c.quote_ok && tpm_pcrs_parse(values.data, values.size, &c.quote, &pcrs, &e) == 0)
		check_quote_digest(&c, &pcrs);
	quote_case_free(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	run(true, reader_over(data, size));
	run(false, reader_over(data, size));
	return 0;
}
