#include "attest/appraise/policy_log.h"

#include <stddef.h>

#define FIELD(f) offsetof(struct log_policy, f)

const struct policy_key policy_log_keys[] = {
	{ "require", POLICY_BOOL, FIELD(require), 0, NULL,
	  "an event log must be given with the quote" },
	{ .name = NULL },
};

void policy_log_base(enum policy_base base, struct log_policy *out)
{
	*out = (struct log_policy){ .require = base == POLICY_STRICT };
}
