/* What `pavise measure tdx` prints. */
#ifndef PAVISE_ATTEST_MEASURE_TDX_REPORT_H
#define PAVISE_ATTEST_MEASURE_TDX_REPORT_H

#include "attest/measure/tdx/expect.h"
#include "attest/measure/tdx/plan.h"

#include <stdio.h>

struct tdx_report {
	const struct plan *plan;
	const char *plan_path; /* NULL: not written */
	int explain;	       /* list the pages, too */
	struct machine machine;
	struct plain_contents contents;
	struct expect_base base;
	struct tdx_measured measured;
	struct tdx_expectation expected;
};

/* For people, and as JSON (docs/PROTOCOL.measure). -EX_HOST when the output fails. */
int tdx_report_text(FILE *f, const struct tdx_report *r, struct err *e);
int tdx_report_json(FILE *f, const struct tdx_report *r, struct err *e);

#endif
