#include "attest/tdx/quote.h"

#include "attest/tdx/p256.h"
#include "common/bytes.h"

#define HEADER_SIZE 48u
#define BODY_1_0_SIZE 584u
#define BODY_1_5_SIZE 648u
#define DESCRIPTOR_SIZE 6u /* version 5: u16 kind, u32 bytes of body */

#define KEY_ECDSA_P256 2u
#define TEE_TDX 0x81u

/* Certification data (A.3.9): the outer one wraps the QE's report, the inner one the PCK chain. */
#define CERT_DATA_PCK_CHAIN 5u
#define CERT_DATA_QE_REPORT 6u

_Static_assert(CERT_CACHE_POINT_SIZE == P256_SIZE, "the keys that the cache holds");

static int read_header(struct reader *r, struct tdx_quote *out, struct err *e)
{
	out->version = read_le16(r);
	uint16_t key = read_le16(r);
	uint32_t tee = read_le32(r);

	out->qe_svn = read_le16(r);
	out->pce_svn = read_le16(r);
	out->qe_vendor = read_view(r, 16);
	out->user_data = read_view(r, 20);
	if (r->bad)
		return err_set(e, EX_MALFORMED, "quote: %zu bytes are less than its header",
			       r->size);
	if (out->version == 3)
		return err_set(e, EX_MALFORMED,
			       "quote: not a TDX quote: version 3 is SGX's, TDX has 4 and 5");
	if (out->version != 4 && out->version != 5)
		return err_set(e, EX_MALFORMED, "quote: version %u, only 4 and 5 are known",
			       out->version);
	if (tee != TEE_TDX)
		return err_set(e, EX_MALFORMED,
			       "quote: not a TDX quote: its TEE type is 0x%x%s, TDX is 0x81", tee,
			       tee == 0 ? " (SGX)" : "");
	if (key != KEY_ECDSA_P256)
		return err_set(e, EX_MALFORMED,
			       "quote: attestation key type %u, only 2 (ECDSA P-256) is known",
			       key);
	return 0;
}

static int refuse_body(uint16_t type, struct err *e)
{
	if (type == 1)
		return err_set(e, EX_MALFORMED,
			       "quote: not a TDX quote: its body (type 1) is of an SGX enclave");
	return err_set(e, EX_MALFORMED,
		       "quote: body type %u%s: this program knows 2 (TD 1.0) and 3 (TD 1.5)", type,
		       type == 4 ? " (TD 1.5 with extensions)" : "");
}

/* Version 5 says which body follows; version 4 has but one. */
static int read_descriptor(struct reader *r, struct tdx_quote *out, struct err *e)
{
	out->body_type = TDX_BODY_TD_1_0;
	if (out->version == 4)
		return 0;
	out->body_type = read_le16(r);
	uint32_t size = read_le32(r);
	if (r->bad)
		return err_set(e, EX_MALFORMED, "quote: it ends before its body's descriptor");
	if (out->body_type != TDX_BODY_TD_1_0 && out->body_type != TDX_BODY_TD_1_5)
		return refuse_body(out->body_type, e);
	uint32_t need = out->body_type == TDX_BODY_TD_1_0 ? BODY_1_0_SIZE : BODY_1_5_SIZE;
	if (size != need)
		return err_set(e, EX_MALFORMED,
			       "quote: a body of type %u has %u bytes, this one declares %u",
			       out->body_type, need, size);
	return 0;
}

static int read_body(struct reader *r, struct tdx_quote *out, struct err *e)
{
	struct tdx_body *b = &out->body;

	b->tee_tcb_svn = read_view(r, TDX_SVN_SIZE);
	b->mrseam = read_view(r, TDX_DIGEST_SIZE);
	b->mrsignerseam = read_view(r, TDX_DIGEST_SIZE);
	b->seam_attributes = read_view(r, 8);
	b->td_attributes = read_le64(r);
	b->xfam = read_le64(r);
	b->mrtd = read_view(r, TDX_DIGEST_SIZE);
	b->mrconfigid = read_view(r, TDX_DIGEST_SIZE);
	b->mrowner = read_view(r, TDX_DIGEST_SIZE);
	b->mrownerconfig = read_view(r, TDX_DIGEST_SIZE);
	for (unsigned i = 0; i < TDX_RTMRS; i++)
		b->rtmr[i] = read_view(r, TDX_DIGEST_SIZE);
	b->report_data = read_view(r, TDX_REPORT_DATA_SIZE);
	if (out->body_type == TDX_BODY_TD_1_5) {
		b->tee_tcb_svn2 = read_view(r, TDX_SVN_SIZE);
		b->mrservicetd = read_view(r, TDX_DIGEST_SIZE);
	}
	out->signed_size = r->pos;
	if (r->bad)
		return err_set(e, EX_MALFORMED, "quote: it ends within its body");
	return 0;
}

/* A length of `name` that must be all that is left of what holds it. */
static int fills(const struct reader *r, size_t declared, const char *name, const char *holder,
		 struct err *e)
{
	if (declared == reader_left(r))
		return 0;
	return err_set(e, EX_MALFORMED, "quote: %s declares %zu bytes, %s leaves %zu for it", name,
		       declared, holder, reader_left(r));
}

/* The QE's certification data: its report, the signature over that, what it authenticates, and
 * then the PCK chain. */
static int read_certification(struct reader *r, struct tdx_quote *out, struct err *e)
{
	out->qe_report = read_view(r, TDX_QE_REPORT_SIZE);
	out->qe_signature = read_view(r, P256_SIZE);
	out->qe_auth_size = read_le16(r);
	out->qe_auth = read_view(r, out->qe_auth_size);
	uint16_t type = read_le16(r);
	out->certs_size = read_le32(r);
	if (r->bad)
		return err_set(e, EX_MALFORMED,
			       "quote: its QE certification data ends too early (%zu bytes)",
			       r->size);
	if (type != CERT_DATA_PCK_CHAIN)
		return err_set(e, EX_MALFORMED,
			       "quote: inner certification data of type %u, only 5 (PCK "
			       "certificate chain) is known",
			       type);
	int status = fills(r, out->certs_size, "the PCK chain", "the QE certification data", e);
	if (status == 0)
		out->certs = read_view(r, out->certs_size);
	return status;
}

static int read_signature(struct reader *r, struct tdx_quote *out, struct err *e)
{
	out->signature = read_view(r, P256_SIZE);
	out->attest_key = read_view(r, P256_SIZE);
	uint16_t type = read_le16(r);
	uint32_t size = read_le32(r);

	if (r->bad)
		return err_set(e, EX_MALFORMED,
			       "quote: its signature data ends too early "
			       "(%zu bytes)",
			       r->size);
	if (type != CERT_DATA_QE_REPORT)
		return err_set(e, EX_MALFORMED,
			       "quote: certification data of type %u, only 6 (QE report) is known",
			       type);
	int status = fills(r, size, "the QE certification data", "the signature data", e);
	if (status < 0)
		return status;
	struct reader inner = reader_over(read_view(r, size), size);
	return read_certification(&inner, out, e);
}

int tdx_quote_parse(const uint8_t *data, size_t size, struct tdx_quote *out, struct err *e)
{
	struct reader r = reader_over(data, size);

	*out = (struct tdx_quote){ .raw = data };
	int status = read_header(&r, out, e);
	if (status == 0)
		status = read_descriptor(&r, out, e);
	if (status == 0)
		status = read_body(&r, out, e);
	if (status < 0)
		return status;
	uint32_t length = read_le32(&r);
	const uint8_t *section = read_view(&r, length);
	if (section == NULL)
		return err_set(e, EX_MALFORMED,
			       "quote: its signature data declares %u bytes, %zu are there", length,
			       size - out->signed_size);
	out->trailing = reader_left(&r);
	struct reader inner = reader_over(section, length);
	return read_signature(&inner, out, e);
}

int tdx_quote_verify(const struct tdx_quote *q, struct cert_cache *cache, struct err *e)
{
	EVP_PKEY *key = cert_cache_key(cache, q->attest_key);

	if (key == NULL) {
		key = p256_key(q->attest_key);
		if (key == NULL)
			return err_set(e, EX_UNAUTHENTIC,
				       "quote: its attestation key is not a point of P-256");
		cert_cache_add_key(cache, q->attest_key, key);
	}
	bool ok = p256_verify(key, q->signature, q->raw, q->signed_size);
	EVP_PKEY_free(key);
	if (!ok)
		return err_set(e, EX_UNAUTHENTIC,
			       "quote: its signature does not hold under its attestation key");
	return 0;
}

const char *tdx_attribute_name(unsigned n)
{
	switch (n) {
	case 0:
		return "DEBUG";
	case 27:
		return "LASS";
	case 28:
		return "SEPT_VE_DISABLE";
	case 29:
		return "MIGRATABLE";
	case 30:
		return "PKS";
	case 31:
		return "KL";
	case 62:
		return "TPA";
	case 63:
		return "PERFMON";
	default:
		return NULL;
	}
}
