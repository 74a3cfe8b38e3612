#include "attest/tpm/quote.h"

#include "common/bytes.h"

#include <string.h>

static const uint8_t *sized(struct reader *r, size_t *size)
{
	*size = read_be16(r);
	return read_view(r, *size);
}

void tpm_unwrap(const uint8_t **data, size_t *size)
{
	struct reader r = reader_over(*data, *size);

	if (read_be16(&r) == reader_left(&r) && !r.bad && reader_left(&r) != 0) {
		*data += 2;
		*size -= 2;
	}
}

static int take_selection(struct reader *r, struct tpm_quote *q, struct err *e)
{
	uint32_t count = read_be32(r);

	if (r->bad || count > TPM_SELECTION_MAX)
		return err_set(e, EX_MALFORMED, "quote: PCR selection of %u banks: at most %u",
			       count, TPM_SELECTION_MAX);
	for (uint32_t i = 0; i < count; i++) {
		q->selection[i].alg = read_be16(r);
		uint8_t n = read_u8(r);
		const uint8_t *map = read_view(r, n);
		if (map == NULL || n < 3 || n > 4)
			return err_set(e, EX_MALFORMED, "quote: PCR bitmap of %u bytes", n);
		for (uint8_t k = 0; k < n; k++)
			q->selection[i].pcrs |= (uint32_t)map[k] << (8 * k);
		if ((q->selection[i].pcrs >> TPM_PCR_COUNT) != 0)
			return err_set(e, EX_MALFORMED, "quote: selects a PCR above 23");
		for (uint32_t k = 0; k < i; k++)
			if (q->selection[k].alg == q->selection[i].alg)
				return err_set(e, EX_MALFORMED, "quote: selects a bank twice");
	}
	q->selection_count = count;
	return 0;
}

int tpm_quote_parse(const uint8_t *data, size_t size, struct tpm_quote *out, struct err *e)
{
	struct reader r = reader_over(data, size);
	struct tpm_quote *q = out;

	*q = (struct tpm_quote){ .magic = read_be32(&r) };
	q->type = read_be16(&r);
	q->signer = sized(&r, &q->signer_size);
	q->extra_data = sized(&r, &q->extra_size);
	q->clock = read_be64(&r);
	q->reset_count = read_be32(&r);
	q->restart_count = read_be32(&r);
	uint8_t safe = read_u8(&r);
	q->safe = safe != 0;
	q->firmware_version = read_be64(&r);
	if (r.bad || safe > 1)
		return err_set(e, EX_MALFORMED, "quote: %zu bytes: no TPMS_ATTEST", size);
	if (q->magic != TPM_GENERATED_VALUE || q->type != TPM_ST_ATTEST_QUOTE)
		return 0;
	int status = take_selection(&r, q, e);
	if (status < 0)
		return status;
	q->pcr_digest = sized(&r, &q->pcr_digest_size);
	if (r.bad || reader_left(&r) != 0)
		return err_set(e, EX_MALFORMED, "quote: cut short or bytes behind its end");
	return 0;
}

int tpm_signature_parse(const uint8_t *data, size_t size, struct tpm_signature *out, struct err *e)
{
	struct reader r = reader_over(data, size);

	*out = (struct tpm_signature){ .alg = read_be16(&r) };
	out->hash = read_be16(&r);
	if (out->alg == TPM_ALG_ECDSA) {
		out->r = sized(&r, &out->r_size);
		out->s = sized(&r, &out->s_size);
	} else if (out->alg == TPM_ALG_RSASSA || out->alg == TPM_ALG_RSAPSS) {
		out->rsa = sized(&r, &out->rsa_size);
	} else {
		return err_set(e, EX_MALFORMED,
			       "signature: scheme 0x%04x is none of RSASSA, RSAPSS, ECDSA",
			       out->alg);
	}
	if (r.bad || reader_left(&r) != 0)
		return err_set(e, EX_MALFORMED, "signature: cut short or bytes behind its end");
	if (out->hash != TPM_ALG_SHA256 && out->hash != TPM_ALG_SHA384 &&
	    out->hash != TPM_ALG_SHA512)
		return err_set(e, EX_MALFORMED,
			       "signature: hash 0x%04x is none of SHA-256, SHA-384, SHA-512",
			       out->hash);
	return 0;
}

/* SEQUENCE { INTEGER, INTEGER } of less than 128 bytes, as every (r, s) up to P-384 is: X.690 §8.
 */
static bool take_der(struct reader *r, struct tpm_signature *out)
{
	uint8_t tag = read_u8(r);

	if (tag != 0x30 || read_u8(r) != reader_left(r) || reader_left(r) > 0x7F)
		return false;
	tag = read_u8(r);
	out->r_size = read_u8(r);
	out->r = read_view(r, out->r_size);
	if (tag != 2)
		return false;
	tag = read_u8(r);
	out->s_size = read_u8(r);
	out->s = read_view(r, out->s_size);
	return tag == 2 && !r->bad && reader_left(r) == 0 && out->r_size != 0 && out->s_size != 0 &&
	       (out->r[0] & 0x80) == 0 && (out->s[0] & 0x80) == 0;
}

int tpm_signature_take_raw(const uint8_t *data, size_t size, EVP_PKEY *key, uint16_t scheme,
			   uint16_t hash, struct tpm_signature *out, struct err *e)
{
	size_t width = ((size_t)EVP_PKEY_get_bits(key) + 7) / 8;
	struct reader r = reader_over(data, size);

	*out = (struct tpm_signature){ .alg = scheme, .hash = hash };
	if (scheme != TPM_ALG_ECDSA) {
		out->rsa = data;
		out->rsa_size = size;
		if (size == width)
			return 0;
	} else if (take_der(&r, out)) {
		return 0;
	} else if (size == 2 * width) {
		out->r = data;
		out->s = data + width;
		out->r_size = out->s_size = width;
		return 0;
	}
	return err_set(e, EX_MALFORMED,
		       "signature: %zu bytes: neither a TPMT_SIGNATURE nor what a key of %zu bytes "
		       "signs with",
		       size, width);
}
