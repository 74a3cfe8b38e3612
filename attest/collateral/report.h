/* What pavise-collateral prints. */
#ifndef PAVISE_ATTEST_COLLATERAL_REPORT_H
#define PAVISE_ATTEST_COLLATERAL_REPORT_H

#include "attest/collateral/survey.h"

#include <stdio.h>

/* Every part in a line; with a survey (NULL: none) what each is worth, what is missing, a verdict.
 * -EX_HOST when the output fails. */
int collateral_text(FILE *f, const struct collateral *c, const struct survey *s, struct err *e);
int collateral_json(FILE *f, const struct collateral *c, const struct survey *s, struct err *e);

#endif
