/* The launch plan of a trust domain (docs/PROTOCOL.plan), and its MRTD. What the firmware extends
 * later is predicted by tdx/expect.h. */
#ifndef PAVISE_ATTEST_MEASURE_TDX_PLAN_H
#define PAVISE_ATTEST_MEASURE_TDX_PLAN_H

#include "attest/measure/plain.h"
#include "attest/measure/tdx/mrtd.h"
#include "common/err.h"
#include "common/plan.h"

#include <stdint.h>

/* Checks the inputs and fills *out like plain_plan_build. xfam: extended features that the guest
 * may use, XCR0 and XSS bits (PLAN_TDX_XFAM). -EX_MALFORMED for a file, -EX_USAGE_ERROR for a
 * value. */
int tdx_plan_build(const struct plain_input *in, uint64_t xfam, struct plain_plan *out,
		   struct err *e);

/* Checks that a parsed plan is the one that tdx_plan_build makes of its own parts, region by
 * region, and takes it apart. -EX_MALFORMED. */
int tdx_plan_open(const char *object, const struct plan *plan, struct plain_contents *out,
		  struct err *e);

/* What the TDX module has measured when the launch is done. Neither the number of processors nor
 * the size of memory is in it. */
struct tdx_measured {
	uint8_t mrtd[MRTD_SIZE];
	uint32_t pages;	   /* private memory added before the launch, of 4096 bytes each */
	uint32_t extended; /* of these, with their contents measured */
};

/* Replays the launch of a parsed TDX plan. each: NULL, or told of every page. -EX_INTERNAL when
 * libcrypto fails. */
int tdx_measure(const struct plan *p, mrtd_step_fn *each, void *arg, struct tdx_measured *out,
		struct err *e);

#endif
