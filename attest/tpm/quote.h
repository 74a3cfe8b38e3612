/* TPM quotes: the structures a TPM signs and the key it signs them with (TPM 2.0 Library,
 * Part 2, revision 1.59). All views borrow from the bytes parsed. */
#ifndef PAVISE_ATTEST_TPM_QUOTE_H
#define PAVISE_ATTEST_TPM_QUOTE_H

#include "attest/tpm/alg.h"
#include "common/err.h"

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TPM_GENERATED_VALUE 0xFF544347u
#define TPM_ST_ATTEST_QUOTE 0x8018u
#define TPM_SELECTION_MAX 8u

#define TPM_ALG_RSA 0x0001u
#define TPM_ALG_NULL 0x0010u
#define TPM_ALG_RSASSA 0x0014u
#define TPM_ALG_RSAPSS 0x0016u
#define TPM_ALG_ECDSA 0x0018u
#define TPM_ALG_ECC 0x0023u

/* TPMA_OBJECT (§8.3) of a restricted signing key. */
#define TPMA_FIXED_TPM (1u << 1)
#define TPMA_FIXED_PARENT (1u << 4)
#define TPMA_SENSITIVE_DATA_ORIGIN (1u << 5)
#define TPMA_RESTRICTED (1u << 16)
#define TPMA_DECRYPT (1u << 17)
#define TPMA_SIGN (1u << 18)
#define TPMA_AK_SET                                                                                \
	(TPMA_FIXED_TPM | TPMA_FIXED_PARENT | TPMA_SENSITIVE_DATA_ORIGIN | TPMA_RESTRICTED |       \
	 TPMA_SIGN)

/* TPMS_ATTEST of a quote (§10.12.8). */
struct tpm_quote {
	uint32_t magic;
	uint16_t type;
	const uint8_t *extra_data;
	size_t extra_size;     /* bytes */
	const uint8_t *signer; /* qualifiedSigner: a name */
	size_t signer_size;    /* bytes */
	uint64_t clock;	       /* milliseconds that the TPM was powered */
	uint32_t reset_count, restart_count;
	bool safe; /* no clock value was reported before that was greater or equal */
	uint64_t firmware_version;
	uint32_t selection_count;
	struct {
		uint16_t alg;
		uint32_t pcrs; /* bit n: PCR n */
	} selection[TPM_SELECTION_MAX];
	const uint8_t *pcr_digest;
	size_t pcr_digest_size; /* bytes */
};

/* A TPM2B around what a file holds, when there is one: then *data and *size become what it holds.
 * No TPMS_ATTEST, TPMT_PUBLIC or TPMT_SIGNATURE of a size that we read begins with its own size. */
void tpm_unwrap(const uint8_t **data, size_t *size);

/* Parses size bytes at data. A structure whose magic or type is not that of a quote parses when
 * its common part does (the caller's check names it): then what follows it stays zero.
 * -EX_MALFORMED. */
int tpm_quote_parse(const uint8_t *data, size_t size, struct tpm_quote *out, struct err *e);

/* TPMT_SIGNATURE (§11.3.4). */
struct tpm_signature {
	uint16_t alg;	    /* TPM_ALG_RSASSA, _RSAPSS, _ECDSA */
	uint16_t hash;	    /* TPM_ALG_SHA256 or larger */
	const uint8_t *rsa; /* RSA: the signature */
	size_t rsa_size;
	const uint8_t *r, *s; /* ECDSA: big-endian integers */
	size_t r_size, s_size;
};

int tpm_signature_parse(const uint8_t *data, size_t size, struct tpm_signature *out, struct err *e);

/* The signature alone, as some tools store it, for a key of which scheme and hash are known: an RSA
 * signature as long as the modulus; for ECDSA the DER of (r, s), or r and s one after the other,
 * each as long as the curve. -EX_MALFORMED. */
int tpm_signature_take_raw(const uint8_t *data, size_t size, EVP_PKEY *key, uint16_t scheme,
			   uint16_t hash, struct tpm_signature *out, struct err *e);

/* TPMT_PUBLIC (§12.2.4) of an RSA or ECC key. */
struct tpm_public {
	uint16_t type, name_alg;
	uint32_t attributes;
	uint16_t scheme, scheme_hash; /* TPM_ALG_NULL, 0: not fixed */
	uint32_t bits;		      /* RSA modulus or curve size */
	EVP_PKEY *key;		      /* owned */
};

/* -EX_MALFORMED for a structure that does not parse or a key that libcrypto refuses (ECC: only
 * NIST P-256 and P-384). The caller calls tpm_public_free, also after a failure. */
int tpm_public_parse(const uint8_t *data, size_t size, struct tpm_public *out, struct err *e);
void tpm_public_free(struct tpm_public *p);

/* May this key's signature vouch for a quote? -EX_UNAUTHENTIC says what is wrong with it. */
int tpm_public_check_ak(const struct tpm_public *p, struct err *e);

/* Does sig hold for size bytes at data under key? 0, -EX_UNAUTHENTIC, -EX_INTERNAL. */
int tpm_signature_verify(EVP_PKEY *key, const struct tpm_signature *sig, const uint8_t *data,
			 size_t size, struct err *e);

#endif
