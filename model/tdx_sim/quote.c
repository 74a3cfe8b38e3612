/* Quotes, version 4 (Intel TDX DCAP Quoting Library API, appendix A.3): what the quoting enclave
 * makes of a TDREPORT. That it is simulated is said by the certificates, MRSEAM and FMSPC. */
#include "model/tdx_sim/module.h"

#include "common/bytes.h"
#include "model/tdx_sim/ecdsa.h"

#include <string.h>

#define QE_REPORT_SIZE 384u
#define QE_REPORT_DATA 320u
#define QE_AUTH_SIZE 32u
#define CERT_QE_REPORT 6u /* certification data: QE report, then another one inside */
#define CERT_PCK_CHAIN 5u

static const uint8_t intel_qe_vendor[16] = { 0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9,
					     0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07 };

static void write_header(struct writer *w)
{
	write_le16(w, 4);
	write_le16(w, 2);    /* attestation key: ECDSA, P-256 */
	write_le32(w, 0x81); /* TEE: TDX */
	write_zeros(w, 4);
	write_copy(w, intel_qe_vendor, sizeof(intel_qe_vendor));
	write_zeros(w, 20); /* user data */
}

/* The fields of a report in the order of a quote's body. */
static void write_body(struct writer *w, const uint8_t *report)
{
	write_copy(w, report + 264, 16 + 48 + 48 + 8); /* TEE_TCB_SVN … SEAMATTRIBUTES */
	write_copy(w, report + 512, 8 + 8 + 48 * 8);   /* ATTRIBUTES … RTMR3 */
	write_copy(w, report + 128, 64);               /* REPORTDATA */
}

/* The quoting enclave's own report (SGX REPORT body): it binds the attestation key. */
static bool write_qe_report(const uint8_t point[64], const uint8_t auth[QE_AUTH_SIZE],
			    uint8_t out[QE_REPORT_SIZE])
{
	struct writer w = writer_over(out, QE_REPORT_SIZE);
	uint8_t bound[64 + QE_AUTH_SIZE], signer[32], enclave[32];
	static const char text[] = "pavise SIMULATED quoting enclave, version 1";

	memcpy(bound, point, 64);
	memcpy(bound + 64, auth, QE_AUTH_SIZE);
	memset(out, 0, QE_REPORT_SIZE);
	if (tdx_sim_qe_signer(signer) != 0 ||
	    EVP_Digest(text, sizeof(text) - 1, enclave, NULL, EVP_sha256(), NULL) != 1 ||
	    EVP_Digest(bound, sizeof(bound), out + QE_REPORT_DATA, NULL, EVP_sha256(), NULL) != 1)
		return false;
	for (unsigned i = 0; i < TDX_SIM_COMPONENTS; i++)
		write_u8(&w, TDX_SIM_COMPONENT_SVN);
	w.pos = 48;
	write_u8(&w, TDX_SIM_QE_FLAGS);
	w.pos = 64;
	write_copy(&w, enclave, sizeof(enclave));
	w.pos = 128;
	write_copy(&w, signer, sizeof(signer));
	w.pos = 256;
	write_le16(&w, TDX_SIM_QE_PROD_ID);
	write_le16(&w, TDX_SIM_QE_SVN);
	return !w.bad;
}

/* What stands in the outer certification data, with the lengths inside it. */
static bool write_certification(struct writer *w, const struct tdx_platform *p,
				const uint8_t point[64])
{
	uint8_t report[QE_REPORT_SIZE], rs[64], auth[QE_AUTH_SIZE];

	for (unsigned i = 0; i < QE_AUTH_SIZE; i++)
		auth[i] = (uint8_t)i;
	if (!write_qe_report(point, auth, report) ||
	    !tdx_ecdsa_sign(p->pck, report, sizeof(report), rs))
		return false;
	write_copy(w, report, sizeof(report));
	write_copy(w, rs, sizeof(rs));
	write_le16(w, QE_AUTH_SIZE);
	write_copy(w, auth, sizeof(auth));
	write_le16(w, CERT_PCK_CHAIN);
	write_le32(w, (uint32_t)p->chain_size + 1);
	write_copy(w, p->chain, p->chain_size);
	write_u8(w, 0); /* as Intel's library ends it */
	return true;
}

size_t tdx_quote_make(const struct tdx_sim *s, const uint8_t report[TDX_WIRE_REPORT_SIZE],
		      uint8_t out[TDX_SIM_QUOTE_MAX])
{
	const uint32_t inner = QE_REPORT_SIZE + 64 + 2 + QE_AUTH_SIZE + 6 +
			       (uint32_t)s->platform.chain_size + 1;
	struct writer w = writer_over(out, TDX_SIM_QUOTE_MAX);
	uint8_t rs[64], point[64];

	write_header(&w);
	write_body(&w, report);
	if (!tdx_ecdsa_sign(s->platform.attestation_key, out, w.pos, rs) ||
	    !tdx_ecdsa_point(s->platform.attestation_key, point))
		return 0;
	write_le32(&w, 64 + 64 + 6 + inner);
	write_copy(&w, rs, sizeof(rs));
	write_copy(&w, point, sizeof(point));
	write_le16(&w, CERT_QE_REPORT);
	write_le32(&w, inner);
	if (!write_certification(&w, &s->platform, point))
		return 0;
	return w.bad ? 0 : w.pos;
}
