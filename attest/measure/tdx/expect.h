/* What the firmware of a trust domain extends into its RTMRs, and the log that it leaves
 * (firmware/events.h, fw_cc_event). MRTD: tdx/plan.h. A verifier that has a plan and knows, or tries,
 * the machine:
 *
 *   plan_parse, tdx_plan_open, tdx_measure    MRTD, the same for every machine
 *   expect_base_make, once a plan
 *   tdx_expect, once a machine                RTMR 0 depends on it, RTMR 1 does not
 */
#ifndef PAVISE_ATTEST_MEASURE_TDX_EXPECT_H
#define PAVISE_ATTEST_MEASURE_TDX_EXPECT_H

#include "attest/measure/expect.h"
#include "attest/measure/tdx/mrtd.h"
#include "common/err.h"

#include <stddef.h>
#include <stdint.h>

#define TDX_EXPECT_RTMRS 2u /* RTMR 0 and 1: the firmware's; Linux owns the rest */

struct tdx_expectation {
	uint8_t rtmr[TDX_EXPECT_RTMRS][MRTD_SIZE];
	uint8_t log[FW_CC_LOG_SIZE];
	size_t log_size; /* bytes of the events in log; 0xFF follows */
};

/* What RTMR n holds, in a few words. */
const char *tdx_rtmr_meaning(unsigned rtmr);

/* Predicts for one machine; base is made of a TDX plan's contents. -EX_USAGE_ERROR when the plan
 * does not allow the machine, -EX_INTERNAL when libcrypto fails. */
int tdx_expect(const struct expect_base *base, const struct machine *m, struct tdx_expectation *out,
	       struct err *e);

#endif
