#include "attest/appraise/policy_tpm.h"

#include "attest/tpm/alg.h"

#include <stddef.h>

#define FIELD(f) offsetof(struct tpm_policy, f)

static const char *const bank_words[] = { "sha1", "sha256", "sha384", "sha512", NULL };

const struct policy_key policy_tpm_keys[] = {
	{ "ak_sha256", POLICY_DIGESTS, FIELD(ak_sha256), 32, NULL,
	  "attestation keys, by the SHA-256 of TPMT_PUBLIC or of SubjectPublicKeyInfo" },
	{ "require_provenance", POLICY_BOOL, FIELD(require_provenance), 0, NULL,
	  "the attestation key must be pinned, or certified under --trust-root" },
	{ "banks", POLICY_WORDS, FIELD(banks), 0, bank_words,
	  "banks in which the quote must cover the PCRs of \"quoted\"" },
	{ "quoted", POLICY_MASK, FIELD(quoted), 0, NULL,
	  "PCRs that the quote must cover (bit n: PCR n)" },
	{ "pcrs", POLICY_PCRS, FIELD(pcrs), 0, NULL, "values that PCRs may have" },
	{ "require_reference", POLICY_BOOL, FIELD(require_reference), 0, NULL,
	  "reference values of the PCRs must be given" },
	{ "require_safe_clock", POLICY_BOOL, FIELD(require_safe_clock), 0, NULL,
	  "the TPM must say that its clock never went back" },
	{ "allow_sha1", POLICY_BOOL, FIELD(allow_sha1), 0, NULL,
	  "PCR values of the SHA-1 bank count" },
	{ .name = NULL },
};

void policy_tpm_base(enum policy_base base, struct tpm_policy *out)
{
	*out = (struct tpm_policy){ .require_reference = base == POLICY_STRICT,
				    .require_provenance = base == POLICY_STRICT,
				    .quoted = base == POLICY_STRICT ? 0xFF : 0 };
}

uint16_t policy_tpm_bank_alg(enum tpm_policy_bank bank)
{
	static const uint16_t algs[] = { TPM_ALG_SHA1, TPM_ALG_SHA256, TPM_ALG_SHA384,
					 TPM_ALG_SHA512 };

	return algs[bank];
}
