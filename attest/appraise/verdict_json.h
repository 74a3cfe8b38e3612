/* A verdict with its checks and claims as JSON (docs/verify-result.schema.json). */
#ifndef PAVISE_ATTEST_APPRAISE_VERDICT_JSON_H
#define PAVISE_ATTEST_APPRAISE_VERDICT_JSON_H

#include "attest/appraise/checks.h"

#include <jansson.h>

/* Owned by the caller; NULL: no memory, or two claims of one name. */
json_t *verdict_json(const struct checks *c);

#endif
