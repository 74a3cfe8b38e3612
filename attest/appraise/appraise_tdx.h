/* The judgement of a TDX quote, wherever it comes from. */
#ifndef PAVISE_ATTEST_APPRAISE_APPRAISE_TDX_H
#define PAVISE_ATTEST_APPRAISE_APPRAISE_TDX_H

#include "attest/appraise/check_tdx.h"
#include "attest/appraise/policy.h"
#include "attest/measure/expect.h"

/* By what. */
struct tdx_case {
	const struct policy *policy; /* never NULL */
	bool policy_given;           /* false: *policy is assumed, collateral is then not demanded */
	const struct expect_base *base; /* of the policy's plan; NULL without one */
	const uint8_t *mrtd;            /* that the plan leads to, MRTD_SIZE bytes */
};

/* Makes every check of check_tdx(); policy, unjudged, reference and log of *a are set here, all else
 * by the caller. 0, or an error that is not the evidence's fault: -EX_MALFORMED (a machine of the
 * policy that its plan does not allow), -EX_HOST, -EX_INTERNAL. */
int judge_tdx(const struct tdx_case *c, struct tdx_appraisal *a, struct err *e);

#endif
