/* TDREPORT_STRUCT (TDX module ABI): what a guest gets from its TDX module and hands to the quoting
 * enclave. Its MAC can be checked on the same processor only: here it proves nothing but form. */
#ifndef PAVISE_ATTEST_TDX_TDREPORT_H
#define PAVISE_ATTEST_TDX_TDREPORT_H

#include "attest/tdx/quote.h"
#include "common/err.h"

#include <stddef.h>
#include <stdint.h>

#define TDX_TDREPORT_SIZE 1024u

/* Pointers borrow from the report. */
struct tdx_tdreport {
	uint8_t subtype, version; /* of REPORTTYPE: 0, 0 or 0, 1 (TDX 1.5) */
	const uint8_t *cpu_svn;	  /* 16 */
	const uint8_t *mac;	  /* 32 */
	uint64_t valid;		  /* which bytes of TEE_TCB_INFO are */
	struct tdx_body body;	  /* as a quote of it would carry; mrservicetd: version 1 only */
};

/* Takes a report apart and checks that its two SHA-384 digests are of TEE_TCB_INFO and TDINFO.
 * -EX_MALFORMED for another size, type or version; -EX_UNAUTHENTIC when a digest is of something
 * else; -EX_INTERNAL. */
int tdx_tdreport_parse(const uint8_t *data, size_t size, struct tdx_tdreport *out, struct err *e);

#endif
