/* The signed text of a bundle of reference values, read and written. */
#ifndef PAVISE_ATTEST_MEASURE_REFERENCES_VALUE_H
#define PAVISE_ATTEST_MEASURE_REFERENCES_VALUE_H

#include "attest/measure/references.h"

#include <jansson.h>

/* Reads r->text, whose signature has been verified, into the rest of *r. -EX_MALFORMED. */
int references_read_values(const char *object, struct references *r, struct err *e);

/* PCR values as {"sha256": {"0": hex, … "7": hex}, "sha384": …}, one bank at least, into v.
 * -EX_MALFORMED; path names the object in texts. */
int reference_read_pcrs(const char *path, const json_t *banks, struct reference_value *v,
			struct err *e);

/* Members "mrtd" and, when present, "rtmr0" and "rtmr1" of value into v. -EX_MALFORMED. */
int reference_read_td(const char *path, const json_t *value, struct reference_value *v,
		      struct err *e);

/* Member "policy" of value, "0x…", into v; it may be absent. -EX_MALFORMED. */
int reference_read_policy(const char *path, const json_t *value, struct reference_value *v,
			  struct err *e);

/* The text for values, svn and not_after of *r: the same for the same values. Free it; NULL when
 * out of memory. */
char *references_write_text(const struct references *r);

#endif
