/* What pavise-verify prints: every check, then the verdict. */
#ifndef PAVISE_ATTEST_APPRAISE_REPORT_H
#define PAVISE_ATTEST_APPRAISE_REPORT_H

#include "attest/pavise-attest.h"
#include "common/err.h"

#include <stdio.h>

/* For people, and as JSON (docs/verify-result.schema.json). -EX_HOST when the output fails. */
int report_text(FILE *f, const struct pavise_result *r, struct err *e);
int report_json(FILE *f, const struct pavise_result *r, struct err *e);

#endif
