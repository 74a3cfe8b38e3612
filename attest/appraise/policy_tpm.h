/* The part of a policy that is for TPM quotes: the object "tpm" (docs/PROTOCOL.policy). */
#ifndef PAVISE_ATTEST_APPRAISE_POLICY_TPM_H
#define PAVISE_ATTEST_APPRAISE_POLICY_TPM_H

#include "attest/appraise/policy_base.h"
#include "attest/appraise/policy_keys.h"
#include "attest/appraise/policy_pcrs.h"

/* Banks by bit, in the order of the words of "banks". */
enum tpm_policy_bank { TPM_BANK_SHA1, TPM_BANK_SHA256, TPM_BANK_SHA384, TPM_BANK_SHA512 };

struct tpm_policy {
	bool require_reference;	 /* PCR values must be given that the quoted ones are compared with
				  */
	bool require_provenance; /* the key must be pinned or certified */
	bool allow_sha1;	 /* PCR values of the SHA-1 bank count */
	bool require_safe_clock;
	struct policy_digests ak_sha256; /* of TPMT_PUBLIC, or of SubjectPublicKeyInfo in DER */
	struct policy_words banks;	 /* that the quote must cover */
	uint64_t quoted; /* PCRs that it must cover in each of these (absent: in one bank) */
	struct policy_pcrs pcrs;
};

/* Fills *out with what the built-in policy has. */
void policy_tpm_base(enum policy_base base, struct tpm_policy *out);

/* TPM_ALG_ID of a bit of banks. */
uint16_t policy_tpm_bank_alg(enum tpm_policy_bank bank);

#endif
