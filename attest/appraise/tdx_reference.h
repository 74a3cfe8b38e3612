/* What a trust domain must hold that a policy's plan describes: MRTD, RTMR0, RTMR1, and the log. */
#ifndef PAVISE_ATTEST_APPRAISE_TDX_REFERENCE_H
#define PAVISE_ATTEST_APPRAISE_TDX_REFERENCE_H

#include "attest/appraise/policy.h"
#include "attest/measure/tdx/expect.h"
#include "attest/tdx/quote.h"
#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tdx_reference {
	const uint8_t *mrtd; /* MRTD_SIZE bytes, borrowed */
	/* Of the machine, among those that the policy allows, that agrees best with the quote. The
	 * policy allows any: has_machine is false, rtmr[0] is not set, and the log's digests of boot
	 * block and ACPI tables, which the machine decides, are zero. */
	bool has_machine;
	struct machine machine;
	struct tdx_expectation *expected; /* owned; tdx_reference_free */
};

/* What is looked for, and where. Quote and log choose among the machines that the policy allows. */
struct tdx_reference_from {
	const struct expect_base *base; /* of the plan, NULL: the policy names none */
	const uint8_t *mrtd;
	const struct policy *policy;
	const struct tdx_body *quote; /* NULL: it is malformed */
	const uint8_t *log;
	size_t log_size; /* 0: none */
};

/* Predicts. *out is empty (expected NULL) without a plan. -EX_MALFORMED for a machine that the plan
 * forbids: a mistake of the policy; -EX_HOST, -EX_INTERNAL. */
int tdx_reference_make(const struct tdx_reference_from *from, struct tdx_reference *out,
		       struct err *e);
void tdx_reference_free(struct tdx_reference *r);

#endif
