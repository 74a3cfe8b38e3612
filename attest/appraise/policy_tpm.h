/* The part of a policy that is for TPM quotes: the object "tpm" (docs/PROTOCOL.policy). */
#ifndef PAVISE_ATTEST_APPRAISE_POLICY_TPM_H
#define PAVISE_ATTEST_APPRAISE_POLICY_TPM_H

#include "attest/appraise/policy_base.h"
#include "attest/appraise/policy_keys.h"

struct tpm_policy {
	bool require_reference; /* PCR values must be given that the quoted ones are compared with */
};

/* Fills *out with what the built-in policy has. */
void policy_tpm_base(enum policy_base base, struct tpm_policy *out);

#endif
