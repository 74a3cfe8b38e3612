#include "attest/tdx/qe_report.h"

#include "attest/tdx/p256.h"
#include "common/bytes.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <string.h>

static const uint8_t intel[16] = { 0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9,
				   0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07 };

void tdx_qe_report_read(const struct tdx_quote *q, struct tdx_qe_report *out)
{
	const uint8_t *r = q->qe_report;
	struct reader isv = reader_over(r + 256, 4);

	*out = (struct tdx_qe_report){ .cpu_svn = r,
				       .misc_select = r + 16,
				       .attributes = r + 48,
				       .mrenclave = r + 64,
				       .mrsigner = r + 128,
				       .report_data = r + 320 };
	out->isv_prod_id = read_le16(&isv);
	out->isv_svn = read_le16(&isv);
}

int tdx_qe_report_verify(const struct tdx_quote *q, EVP_PKEY *pck, struct err *e)
{
	if (p256_verify(pck, q->qe_signature, q->qe_report, TDX_QE_REPORT_SIZE))
		return 0;
	return err_set(e, EX_UNAUTHENTIC,
		       "QE report: its signature does not hold under the PCK certificate's key");
}

int tdx_qe_report_binds(const struct tdx_quote *q, struct err *e)
{
	uint8_t want[TDX_REPORT_DATA_SIZE] = { 0 };
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	bool ok = md != NULL && EVP_DigestInit_ex(md, EVP_sha256(), NULL) &&
		  EVP_DigestUpdate(md, q->attest_key, P256_SIZE) &&
		  EVP_DigestUpdate(md, q->qe_auth, q->qe_auth_size) &&
		  EVP_DigestFinal_ex(md, want, NULL);

	EVP_MD_CTX_free(md);
	ERR_clear_error();
	if (!ok)
		return err_set(e, EX_INTERNAL, "QE report: libcrypto cannot compute SHA-256");
	if (CRYPTO_memcmp(want, q->qe_report + 320, 32) != 0)
		return err_set(e, EX_UNAUTHENTIC,
			       "QE report: its REPORTDATA is not of this attestation key");
	if (CRYPTO_memcmp(want + 32, q->qe_report + 352, 32) != 0)
		return err_set(e, EX_UNAUTHENTIC,
			       "QE report: the upper half of its REPORTDATA is not zero");
	return 0;
}

bool tdx_qe_vendor_is_intel(const struct tdx_quote *q)
{
	return memcmp(q->qe_vendor, intel, sizeof(intel)) == 0;
}
