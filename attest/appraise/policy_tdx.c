#include "attest/appraise/policy_tdx.h"

#include <stddef.h>

#define FIELD(f) offsetof(struct tdx_policy, f)

const struct policy_key policy_tdx_keys[] = {
	{ "allow_debug", POLICY_BOOL, FIELD(allow_debug), 0, NULL,
	  "a guest launched with DEBUG, which the host can read and change" },
	{ .name = NULL },
};

void policy_tdx_base(enum policy_base base, struct tdx_policy *out)
{
	(void)base;
	*out = (struct tdx_policy){ .allow_debug = false };
}
