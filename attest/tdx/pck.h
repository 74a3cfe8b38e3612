/* What Intel's extension of a PCK certificate says of the platform (Intel SGX PCK Certificate and
 * CRL Profile Specification, "SGX Extensions", 1.2.840.113741.1.13.1). */
#ifndef PAVISE_ATTEST_TDX_PCK_H
#define PAVISE_ATTEST_TDX_PCK_H

#include "common/err.h"

#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>

#define TDX_PCK_COMPONENTS 16u

struct tdx_pck {
	uint8_t ppid[16];
	uint8_t component[TDX_PCK_COMPONENTS]; /* SGX TCB components' SVN */
	uint16_t pce_svn;
	uint8_t cpu_svn[16];
	uint8_t pce_id[2]; /* as in the certificate: big endian */
	uint8_t fmspc[6];
	uint8_t sgx_type;	    /* 0 standard, 1 scalable, 2 scalable with integrity */
	bool has_platform_instance; /* issued by the platform CA: the next one is set */
	uint8_t platform_instance[16];
	bool has_configuration; /* the next three are set */
	bool dynamic_platform, cached_keys, smt;
};

/* -EX_MALFORMED: the extension is missing or there twice, one of its members is missing, twice,
 * unknown or in another encoding than DER's, or the certificate has an unknown critical
 * extension. */
int tdx_pck_parse(const X509 *cert, struct tdx_pck *out, struct err *e);

#endif
