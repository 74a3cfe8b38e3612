#include "attest/tdx/tdreport.h"

#include "common/bytes.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

/* Offsets and sizes in bytes. */
#define TYPE_TDX 0x81u
#define VERSION_MAX 1u
#define TCB_INFO_HASH 32u
#define TD_INFO_HASH 80u
#define TCB_INFO 256u
#define TCB_INFO_SIZE 239u
#define TD_INFO 512u
#define TD_INFO_SIZE 512u

static int check_digest(const uint8_t *raw, size_t hash, size_t at, size_t n, const char *name,
			struct err *e)
{
	uint8_t digest[TDX_DIGEST_SIZE];

	if (!EVP_Digest(raw + at, n, digest, NULL, EVP_sha384(), NULL))
		return err_set(e, EX_INTERNAL, "TDREPORT: libcrypto cannot compute SHA-384");
	if (CRYPTO_memcmp(digest, raw + hash, sizeof(digest)) != 0)
		return err_set(e, EX_UNAUTHENTIC, "TDREPORT: its digest of %s is another", name);
	return 0;
}

static void read_tcb_info(const uint8_t *raw, struct tdx_tdreport *out)
{
	struct reader r = reader_over(raw + TCB_INFO, TCB_INFO_SIZE);
	struct tdx_body *b = &out->body;

	out->valid = read_le64(&r);
	b->tee_tcb_svn = read_view(&r, TDX_SVN_SIZE);
	b->mrseam = read_view(&r, TDX_DIGEST_SIZE);
	b->mrsignerseam = read_view(&r, TDX_DIGEST_SIZE);
	b->seam_attributes = read_view(&r, 8);
	if (out->version >= 1)
		b->tee_tcb_svn2 = read_view(&r, TDX_SVN_SIZE);
}

static void read_td_info(const uint8_t *raw, struct tdx_tdreport *out)
{
	struct reader r = reader_over(raw + TD_INFO, TD_INFO_SIZE);
	struct tdx_body *b = &out->body;

	b->td_attributes = read_le64(&r);
	b->xfam = read_le64(&r);
	b->mrtd = read_view(&r, TDX_DIGEST_SIZE);
	b->mrconfigid = read_view(&r, TDX_DIGEST_SIZE);
	b->mrowner = read_view(&r, TDX_DIGEST_SIZE);
	b->mrownerconfig = read_view(&r, TDX_DIGEST_SIZE);
	for (unsigned i = 0; i < TDX_RTMRS; i++)
		b->rtmr[i] = read_view(&r, TDX_DIGEST_SIZE);
	if (out->version >= 1)
		b->mrservicetd = read_view(&r, TDX_DIGEST_SIZE);
}

int tdx_tdreport_parse(const uint8_t *data, size_t size, struct tdx_tdreport *out, struct err *e)
{
	*out = (struct tdx_tdreport){ 0 };
	if (size != TDX_TDREPORT_SIZE)
		return err_set(e, EX_MALFORMED, "TDREPORT: %zu bytes, it has %u", size,
			       TDX_TDREPORT_SIZE);
	if (data[0] != TYPE_TDX || data[3] != 0)
		return err_set(e, EX_MALFORMED, "TDREPORT: type 0x%02x is not of a TD (0x81)",
			       data[0]);
	out->subtype = data[1];
	out->version = data[2];
	if (out->subtype != 0 || out->version > VERSION_MAX)
		return err_set(e, EX_MALFORMED,
			       "TDREPORT: subtype %u, version %u: only 0 with 0 or 1 is known",
			       out->subtype, out->version);
	out->cpu_svn = data + 16;
	out->body.report_data = data + 128;
	out->mac = data + 224;
	read_tcb_info(data, out);
	read_td_info(data, out);
	int r = check_digest(data, TCB_INFO_HASH, TCB_INFO, TCB_INFO_SIZE, "TEE_TCB_INFO", e);
	if (r == 0)
		r = check_digest(data, TD_INFO_HASH, TD_INFO, TD_INFO_SIZE, "TDINFO", e);
	return r;
}
