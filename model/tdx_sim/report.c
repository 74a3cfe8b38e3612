/* TDREPORT_STRUCT (TDX Module ABI, "TDREPORT_STRUCT"), version 0 as of a TD without service TD:
 * REPORTMACSTRUCT, TEE_TCB_INFO, TDINFO_STRUCT. */
#include "model/tdx_sim/module.h"

#include "common/bytes.h"

#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <string.h>

#define TYPE_TDX 0x81u
#define CPU_SVN 16u
#define MACED 224u /* bytes that the MAC covers: all before it */
#define TCB_INFO_HASH 32u
#define TD_INFO_HASH 80u
#define TCB_INFO 256u
#define TCB_INFO_SIZE 239u
#define TCB_INFO_VALID 0x1ffull /* version 0: the fields up to SEAMATTRIBUTES */
#define TD_INFO 512u
#define TD_INFO_SIZE 512u

const uint8_t tdx_sim_fmspc[6] = { 'S', 'I', 'M', 0, 0, 0 };

static bool digest_text(const char *text, const EVP_MD *md, uint8_t *out)
{
	return EVP_Digest(text, strlen(text), out, NULL, md, NULL) == 1;
}

int tdx_sim_qe_signer(uint8_t out[32])
{
	return digest_text("pavise SIMULATED quoting enclave", EVP_sha256(), out) ? 0 : -1;
}

static bool write_tcb_info(uint8_t report[TDX_WIRE_REPORT_SIZE])
{
	struct writer w = writer_over(report + TCB_INFO, TCB_INFO_SIZE);
	uint8_t mrseam[TDX_SIM_DIGEST];

	if (!digest_text("pavise SIMULATED TDX module", EVP_sha384(), mrseam))
		return false;
	write_le64(&w, TCB_INFO_VALID);
	write_u8(&w, TDX_SIM_MODULE_SVN);
	write_u8(&w, TDX_SIM_MODULE_MAJOR);
	write_u8(&w, TDX_SIM_LOADER_SVN);
	write_zeros(&w, 13);
	write_copy(&w, mrseam, sizeof(mrseam));
	write_zeros(&w, TDX_SIM_DIGEST); /* MRSIGNERSEAM: zero, as of the vendor's own */
	write_zeros(&w, 8);              /* SEAMATTRIBUTES */
	return !w.bad;
}

static bool write_td_info(uint8_t report[TDX_WIRE_REPORT_SIZE], const struct tdx_td *td)
{
	struct writer w = writer_over(report + TD_INFO, TD_INFO_SIZE);

	write_le64(&w, td->params.attributes);
	write_le64(&w, td->params.xfam);
	write_copy(&w, td->mrtd, sizeof(td->mrtd));
	write_copy(&w, td->params.mrconfigid, sizeof(td->params.mrconfigid));
	write_copy(&w, td->params.mrowner, sizeof(td->params.mrowner));
	write_copy(&w, td->params.mrownerconfig, sizeof(td->params.mrownerconfig));
	for (unsigned i = 0; i < TDX_SIM_RTMRS; i++)
		write_copy(&w, td->rtmr[i], sizeof(td->rtmr[i]));
	return !w.bad;
}

static bool mac(const struct tdx_sim *s, const uint8_t *report, uint8_t out[32])
{
	unsigned n = 32;

	return HMAC(EVP_sha256(), s->platform.mac_key, (int)sizeof(s->platform.mac_key), report,
		    MACED, out, &n) != NULL && n == 32;
}

static bool digest_parts(const uint8_t *report, uint8_t tcb[TDX_SIM_DIGEST],
			 uint8_t td[TDX_SIM_DIGEST])
{
	return EVP_Digest(report + TCB_INFO, TCB_INFO_SIZE, tcb, NULL, EVP_sha384(), NULL) == 1 &&
	       EVP_Digest(report + TD_INFO, TD_INFO_SIZE, td, NULL, EVP_sha384(), NULL) == 1;
}

int tdx_report_make(const struct tdx_sim *s, const uint8_t report_data[64],
		    uint8_t out[TDX_WIRE_REPORT_SIZE])
{
	memset(out, 0, TDX_WIRE_REPORT_SIZE);
	out[0] = TYPE_TDX;
	memset(out + CPU_SVN, TDX_SIM_COMPONENT_SVN, TDX_SIM_COMPONENTS);
	memcpy(out + 128, report_data, 64);
	return write_tcb_info(out) && write_td_info(out, &s->td) &&
			       digest_parts(out, out + TCB_INFO_HASH, out + TD_INFO_HASH) &&
			       mac(s, out, out + MACED) ?
		       0 : -1;
}

bool tdx_report_check(const struct tdx_sim *s, const uint8_t report[TDX_WIRE_REPORT_SIZE])
{
	uint8_t want[32], tcb[TDX_SIM_DIGEST], td[TDX_SIM_DIGEST];

	return mac(s, report, want) && CRYPTO_memcmp(want, report + MACED, sizeof(want)) == 0 &&
	       digest_parts(report, tcb, td) &&
	       CRYPTO_memcmp(tcb, report + TCB_INFO_HASH, sizeof(tcb)) == 0 &&
	       CRYPTO_memcmp(td, report + TD_INFO_HASH, sizeof(td)) == 0 &&
	       report[0] == TYPE_TDX && report[1] == 0 && report[2] == 0 && report[3] == 0;
}
