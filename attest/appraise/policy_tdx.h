/* The part of a policy that is for Intel TDX: the object "tdx" (docs/PROTOCOL.policy). */
#ifndef PAVISE_ATTEST_APPRAISE_POLICY_TDX_H
#define PAVISE_ATTEST_APPRAISE_POLICY_TDX_H

#include "attest/appraise/policy_base.h"
#include "attest/appraise/policy_keys.h"

struct tdx_policy {
	bool allow_debug;
};

/* Fills *out with what the built-in policy has. */
void policy_tdx_base(enum policy_base base, struct tdx_policy *out);

#endif
