/* Quotes of Intel TDX guests (Intel TDX DCAP Quoting Library API, appendices A.3 and A.4), versions
 * 4 and 5. The signature covers bytes as received: nothing here ever puts a quote together again.
 */
#ifndef PAVISE_ATTEST_TDX_QUOTE_H
#define PAVISE_ATTEST_TDX_QUOTE_H

#include "attest/x509/cert_cache.h"
#include "common/err.h"

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TDX_QUOTE_FILE_MAX (1u << 20) /* bytes: far above any quote */
#define TDX_RTMRS 4u
#define TDX_DIGEST_SIZE 48u /* SHA-384: MRTD, RTMRs and what is like them */
#define TDX_SVN_SIZE 16u
#define TDX_REPORT_DATA_SIZE 64u
#define TDX_QE_REPORT_SIZE 384u

/* The kind of body (version 5: descriptor; version 4 has kind 2 only). */
enum tdx_body_type { TDX_BODY_TD_1_0 = 2, TDX_BODY_TD_1_5 = 3 };

/* TDATTRIBUTES (TDX module ABI, "TD ATTRIBUTES") */
#define TDX_ATTR_DEBUG (1ull << 0)
#define TDX_ATTR_TUD 0xFFull /* any of these: the TD is under debug */
#define TDX_ATTR_LASS (1ull << 27)
#define TDX_ATTR_SEPT_VE_DISABLE (1ull << 28)
#define TDX_ATTR_MIGRATABLE (1ull << 29)
#define TDX_ATTR_PKS (1ull << 30)
#define TDX_ATTR_KL (1ull << 31)
#define TDX_ATTR_TPA (1ull << 62)
#define TDX_ATTR_PERFMON (1ull << 63)

/* What the TDX module says of the guest (TD) and of itself. Pointers borrow from the quote. */
struct tdx_body {
	const uint8_t *tee_tcb_svn;	/* 16: [0] minor, [1] major of the module, [2] loader */
	const uint8_t *mrseam;		/* 48, as every MR… and RTMR */
	const uint8_t *mrsignerseam;	/* zero: Intel's */
	const uint8_t *seam_attributes; /* 8 */
	uint64_t td_attributes, xfam;
	const uint8_t *mrtd, *mrconfigid, *mrowner, *mrownerconfig;
	const uint8_t *rtmr[TDX_RTMRS];
	const uint8_t *report_data;  /* 64 */
	const uint8_t *tee_tcb_svn2; /* 16; NULL: this kind of body has none, as the next */
	const uint8_t *mrservicetd;
};

struct tdx_quote {
	const uint8_t *raw; /* borrowed: the bytes as received */
	uint16_t version, body_type;
	uint16_t qe_svn, pce_svn; /* of the header; shown, judged by nothing */
	const uint8_t *qe_vendor; /* 16 */
	const uint8_t *user_data; /* 20 */
	struct tdx_body body;
	size_t signed_size;	     /* bytes of raw that the signature covers */
	const uint8_t *signature;    /* 64: r, s, big endian */
	const uint8_t *attest_key;   /* 64: X, Y */
	const uint8_t *qe_report;    /* TDX_QE_REPORT_SIZE */
	const uint8_t *qe_signature; /* 64 */
	const uint8_t *qe_auth;
	size_t qe_auth_size;
	const uint8_t *certs; /* the PCK chain: PEM or DER */
	size_t certs_size;
	size_t trailing; /* bytes behind the quote: nothing signs them, nothing reads them */
};

/* Takes a quote apart. Every declared length must fill what holds it exactly; only behind the
 * whole quote may there be more. -EX_MALFORMED, also for other versions, kinds of TEE, of body, of
 * key and of certification data. */
int tdx_quote_parse(const uint8_t *data, size_t size, struct tdx_quote *out, struct err *e);

/* Does the attestation key's signature hold over header and body? cache: may know the key; NULL:
 * none. 0, -EX_UNAUTHENTIC. */
int tdx_quote_verify(const struct tdx_quote *q, struct cert_cache *cache, struct err *e);

/* "DEBUG", "SEPT_VE_DISABLE" …: the name of bit n of TDATTRIBUTES, NULL: none that is known. */
const char *tdx_attribute_name(unsigned n);

#endif
