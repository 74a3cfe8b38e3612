/* The simulated TDX module with its quoting enclave: one platform, one trust domain. Pure: bytes
 * in, bytes out; the only outside it knows is the random generator of libcrypto. */
#ifndef PAVISE_MODEL_TDX_SIM_MODULE_H
#define PAVISE_MODEL_TDX_SIM_MODULE_H

#include "common/err.h"
#include "model/tdx_wire.h"

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TDX_SIM_QUOTE_MAX 8192u
#define TDX_SIM_CHAIN_MAX 6144u /* bytes of PEM: three certificates */
#define TDX_SIM_DIGEST 48u
#define TDX_SIM_RTMRS 4u
/* The platform's security versions: the same in certificate, TDREPORT and collateral. */
#define TDX_SIM_COMPONENTS 16u
#define TDX_SIM_COMPONENT_SVN 3u /* each SGX TCB component, and each byte of CPUSVN */
#define TDX_SIM_PCE_SVN 13u
#define TDX_SIM_MODULE_MAJOR 1u /* TEE_TCB_SVN[1] */
#define TDX_SIM_MODULE_SVN 5u   /* TEE_TCB_SVN[0] */
#define TDX_SIM_LOADER_SVN 3u   /* TEE_TCB_SVN[2] */
#define TDX_SIM_QE_SVN 4u
#define TDX_SIM_QE_PROD_ID 2u /* of the quoting enclave for TDX */
#define TDX_SIM_QE_FLAGS 0x11u /* SGX ATTRIBUTES: INIT, PROVISION_KEY */

/* FMSPC: no real one is text. */
extern const uint8_t tdx_sim_fmspc[6];
/* MRSIGNER of the quoting enclave and MRSEAM: digests of a text that says SIMULATED. */
int tdx_sim_qe_signer(uint8_t out[32]);

/* What signs and authenticates. pck and chain come from the state folder; the others are made anew
 * in each process, so that a report of another one's TD is never quoted. */
struct tdx_platform {
	EVP_PKEY *pck;  /* P-256: signs the quoting enclave's report. Borrowed */
	const uint8_t *chain; /* PEM of PCK certificate, PCK CA, root CA. Borrowed */
	size_t chain_size;    /* at most TDX_SIM_CHAIN_MAX */
	EVP_PKEY *attestation_key; /* P-256: signs quotes */
	uint8_t mac_key[32];       /* of reports */
};

/* TDX Module ABI, "TD operation states". */
enum tdx_td_state { TDX_TD_UNINITIALIZED, TDX_TD_INITIALIZED, TDX_TD_RUNNABLE };

struct tdx_td {
	enum tdx_td_state state;
	struct tdx_mng_init params;
	EVP_MD_CTX *measuring; /* SHA-384; until MR.FINALIZE */
	uint8_t mrtd[TDX_SIM_DIGEST];
	uint8_t rtmr[TDX_SIM_RTMRS][TDX_SIM_DIGEST];
};

struct tdx_sim {
	struct tdx_platform platform;
	struct tdx_td td;
};

/* Makes attestation key, MAC key and an uninitialized TD; pck and chain are borrowed. -EX_INTERNAL.
 * tdx_sim_close frees and overwrites, also after a failure. */
int tdx_sim_open(struct tdx_sim *s, EVP_PKEY *pck, const uint8_t *chain, size_t chain_size,
		 struct err *e);
void tdx_sim_close(struct tdx_sim *s);

/* Handles one message of model/tdx_wire.h. answer holds TDX_WIRE_PAYLOAD_MAX bytes and a header.
 * 0, or -EX_MALFORMED when the framing is broken: the caller then closes the connection. */
int tdx_sim_handle(struct tdx_sim *s, const void *message, size_t size, uint8_t *answer,
		   size_t *answer_size, struct err *e);

/* ---- the parts ---- */

/* MRTD (TDX Module specification, "MRTD: Build-Time Measurement Register"). TDX_ST_... */
uint64_t tdx_td_page_add(struct tdx_td *td, uint64_t gpa);
uint64_t tdx_td_extend(struct tdx_td *td, const struct tdx_mr_extend *chunk);
uint64_t tdx_td_finalize(struct tdx_td *td);

/* TDREPORT_STRUCT of the TD, with our MAC. 0 or -1: libcrypto failed. */
int tdx_report_make(const struct tdx_sim *s, const uint8_t report_data[64],
		    uint8_t out[TDX_WIRE_REPORT_SIZE]);
/* Is it one of ours: form, MAC, and the two digests that the MAC covers? */
bool tdx_report_check(const struct tdx_sim *s, const uint8_t report[TDX_WIRE_REPORT_SIZE]);

/* A quote, version 4, of a report that was checked. Its size in bytes; 0: libcrypto failed. */
size_t tdx_quote_make(const struct tdx_sim *s, const uint8_t report[TDX_WIRE_REPORT_SIZE],
		      uint8_t out[TDX_SIM_QUOTE_MAX]);

#endif
