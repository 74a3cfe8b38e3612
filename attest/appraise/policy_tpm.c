#include "attest/appraise/policy_tpm.h"

#include <stddef.h>

#define FIELD(f) offsetof(struct tpm_policy, f)

const struct policy_key policy_tpm_keys[] = {
	{ "require_reference", POLICY_BOOL, FIELD(require_reference), 0, NULL,
	  "reference values of the PCRs must be given" },
	{ .name = NULL },
};

void policy_tpm_base(enum policy_base base, struct tpm_policy *out)
{
	*out = (struct tpm_policy){ .require_reference = base == POLICY_STRICT };
}
