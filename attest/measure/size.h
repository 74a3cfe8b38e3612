/* Sizes as people write them. */
#ifndef PAVISE_ATTEST_MEASURE_SIZE_H
#define PAVISE_ATTEST_MEASURE_SIZE_H

#include "common/err.h"

#include <stdint.h>

/* "512M", "2G", "536870912", also K: binary multiples, to bytes. No sign, blank or fraction.
 * `what` opens the text of an error, -EX_USAGE_ERROR. */
int size_parse(const char *what, const char *text, uint64_t *out, struct err *e);

#endif
