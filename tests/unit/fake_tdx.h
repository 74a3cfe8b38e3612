/* A TDX platform for tests: its own root, PCK CA and PCK certificate, a quoting enclave's report
 * and quotes, made with OpenSSL from the text of Intel's documents. Every part can be made wrong in
 * one way. */
#ifndef PAVISE_TESTS_UNIT_FAKE_TDX_H
#define PAVISE_TESTS_UNIT_FAKE_TDX_H

#include "attest/tdx/chain.h"
#include "attest/tdx/pck.h"
#include "attest/tdx/quote.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <time.h>

#define FAKE_TDX_NOW ((time_t)1800000000) /* 2027-01-15 */
#define FAKE_TDX_QUOTE_MAX 16384u

/* Offsets in a body. */
#define FAKE_TDX_SVN 0u
#define FAKE_TDX_MRSEAM 16u
#define FAKE_TDX_MRSIGNERSEAM 64u
#define FAKE_TDX_SEAM_ATTRIBUTES 112u
#define FAKE_TDX_ATTRIBUTES 120u
#define FAKE_TDX_XFAM 128u
#define FAKE_TDX_MRTD 136u
#define FAKE_TDX_MRCONFIGID 184u
#define FAKE_TDX_MROWNER 232u
#define FAKE_TDX_MROWNERCONFIG 280u
#define FAKE_TDX_RTMR0 328u
#define FAKE_TDX_REPORT_DATA 520u
#define FAKE_TDX_SVN2 584u
#define FAKE_TDX_MRSERVICETD 600u

/* How to make a certificate; start from fake_tdx_how(). */
struct fake_tdx_how {
	const char *subject, *issuer; /* common names */
	EVP_PKEY *key, *issuer_key;
	long from, to, serial; /* seconds from FAKE_TDX_NOW */
	const EVP_MD *md;
	bool ca, cert_sign, digital_signature;
	int pathlen;   /* of a CA; -1: none */
	bool critical; /* an unknown critical extension */
	/* Intel's extension: */
	bool is_pck, sgx_twice;
	struct tdx_pck pck;
	const char *drop, *twice; /* ends of Intel's OIDs, as "2.17" */
	const char *raw_oid;	  /* this one's value is raw_size bytes at raw instead */
	const void *raw;
	size_t raw_size;
	const void *sgx; /* the whole extension, instead of all this */
	size_t sgx_size;
};

struct fake_tdx {
	EVP_PKEY *key[TDX_ROLES]; /* PCK, CA, root */
	EVP_PKEY *ak;
	struct tdx_chain chain;
	/* The parts of a quote: change them, then fake_tdx_sign(). */
	uint16_t version, body_type;
	uint8_t header[48], body[648], qe_report[384], qe_auth[32];
	size_t qe_auth_size;
	bool keep_report_data; /* of the QE's report: do not bind the key */
	bool der;	       /* the chain in DER instead of PEM */
	size_t trailing;       /* bytes of zeros behind */
	uint8_t quote[FAKE_TDX_QUOTE_MAX];
	size_t quote_size;
	/* Where the declared lengths lie in the quote. */
	size_t at_signature_size, at_outer_size, at_auth_size, at_inner_size, at_certs;
};

/* A platform with a private root and a good quote of that version; aborts on failure. */
void fake_tdx_make(struct fake_tdx *f, uint16_t version, uint16_t body_type);
void fake_tdx_free(struct fake_tdx *f);

/* How f's certificate of that role was made; the certificate; put it in the place of f's. */
struct fake_tdx_how fake_tdx_how(const struct fake_tdx *f, enum tdx_role role);
X509 *fake_tdx_cert(const struct fake_tdx_how *how);
void fake_tdx_set(struct fake_tdx *f, enum tdx_role role, const struct fake_tdx_how *how);

/* Intel's extension as how says, into out; its size. */
size_t fake_tdx_sgx(const struct fake_tdx_how *how, uint8_t out[1024]);

/* Puts f->quote together anew and signs it. */
void fake_tdx_sign(struct fake_tdx *f);

/* r ‖ s of n bytes under key. */
void fake_tdx_ecdsa(EVP_PKEY *key, const void *data, size_t n, uint8_t rs[64]);

/* A revocation list of that role's certificate (CA or root) that lists serial (0: none), DER
 * (OPENSSL_free); *size set. from, to: seconds from FAKE_TDX_NOW. */
unsigned char *fake_tdx_crl(const struct fake_tdx *f, enum tdx_role issuer, EVP_PKEY *key,
			    long serial, long from, long to, size_t *size);

#endif
