/* PCR values in JSON: an object of banks, each an object of values; used by evidence and
 * policies alike. */
#ifndef PAVISE_ATTEST_APPRAISE_JSON_PCRS_H
#define PAVISE_ATTEST_APPRAISE_JSON_PCRS_H

#include "attest/appraise/evidence.h"

#include <jansson.h>

/* Banks "sha256" and "sha384" (each may be absent), PCRs "0".."23". -EX_MALFORMED. */
int json_pcrs_parse(const char *path, const json_t *banks, struct pcr_values out[EXPECT_BANKS],
		    struct err *e);

#endif
