/* The quoting enclave's own SGX report inside a quote (SGX "REPORT" body, 384 bytes): it carries
 * the attestation key's digest, and the platform's PCK signs it. */
#ifndef PAVISE_ATTEST_TDX_QE_REPORT_H
#define PAVISE_ATTEST_TDX_QE_REPORT_H

#include "attest/tdx/quote.h"
#include "common/err.h"

#include <openssl/evp.h>
#include <stdint.h>

/* Pointers borrow from the quote. */
struct tdx_qe_report {
	const uint8_t *cpu_svn;	    /* 16 */
	const uint8_t *misc_select; /* 4, little endian */
	const uint8_t *attributes;  /* 16: flags, XFRM */
	const uint8_t *mrenclave;   /* 32 */
	const uint8_t *mrsigner;    /* 32 */
	uint16_t isv_prod_id, isv_svn;
	const uint8_t *report_data; /* 64 */
};

void tdx_qe_report_read(const struct tdx_quote *q, struct tdx_qe_report *out);

/* Does the signature over the QE's report hold under the PCK's key? 0, -EX_UNAUTHENTIC. */
int tdx_qe_report_verify(const struct tdx_quote *q, EVP_PKEY *pck, struct err *e);

/* Does the QE's report carry this attestation key: SHA-256(key ‖ QE authentication data), then 32
 * zero bytes? 0, -EX_UNAUTHENTIC, -EX_INTERNAL. */
int tdx_qe_report_binds(const struct tdx_quote *q, struct err *e);

/* Is the quoting enclave's maker Intel, by the id in the header? */
bool tdx_qe_vendor_is_intel(const struct tdx_quote *q);

#endif
