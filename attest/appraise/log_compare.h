/* An event log against the one that files lead to, event by event. */
#ifndef PAVISE_ATTEST_APPRAISE_LOG_COMPARE_H
#define PAVISE_ATTEST_APPRAISE_LOG_COMPARE_H

#include "attest/appraise/checks.h"
#include "attest/tpm/eventlog.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_answer {
	LOG_SAME,
	LOG_DIFFERS,   /* an event; it is told */
	LOG_MORE,      /* events than expected */
	LOG_FEWER,     /* events than expected */
	LOG_SPEC_ID,   /* the event that says what the log is */
	LOG_MALFORMED, /* one of the two cannot be read */
};

/* The first event that differs, in both. Pointers borrow from the logs. */
struct log_difference {
	struct event have, need;
	char text[64];                  /* its data in the expected log, as far as printable */
	char have_hex[130], need_hex[130]; /* digests of the bank asked for; "" without */
};

/* May the digest of this event of the expected log be another? */
typedef bool log_free_event(const struct event *need);

/* Byte by byte, but for the digests of events that are free (NULL: none); padding after the end is
 * free. *out is set for LOG_DIFFERS; alg: the bank of the digests in it. */
enum log_answer log_compare(const uint8_t *have, size_t have_size, const uint8_t *need,
			    size_t need_size, uint16_t alg, log_free_event *is_free,
			    struct log_difference *out);

/* Check "reference.log": LOG_SAME passes with the text `good`. cc: a CC log, whose registers are
 * RTMRs. */
void check_log_answer(struct checks *c, enum log_answer answer, const struct log_difference *d,
		      bool cc, const char *good);

#endif
