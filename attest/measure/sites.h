/* The table of the sites in a firmware image that hold a confidential guest's instructions
 * (firmware/layout.h). */
#ifndef PAVISE_ATTEST_MEASURE_SITES_H
#define PAVISE_ATTEST_MEASURE_SITES_H

#include "common/err.h"
#include "firmware/layout.h"

#include <stdint.h>

/* Checks the table that header *h of the image at data (h->image_size bytes) points to: bounds,
 * order, no site across a page or over header or table, and at each the instruction of its kind, one
 * of the image's variant.
 * -EX_MALFORMED names the site; `object` names the file. */
int firmware_sites_check(const char *object, const uint8_t *data, const struct fw_image_header *h,
			 struct err *e);

#endif
