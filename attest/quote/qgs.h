/* Messages of the quote generation service (QGS) of Intel's DCAP, qgs_msg_lib: a length of 4 bytes,
 * big endian, then a message in little endian. One request and one answer a connection. */
#ifndef PAVISE_ATTEST_QUOTE_QGS_H
#define PAVISE_ATTEST_QUOTE_QGS_H

#include "common/err.h"
#include "common/quote_wire.h"

#include <stddef.h>
#include <stdint.h>

#define QGS_LENGTH 4u  /* bytes of the length before a message */
#define QGS_FIXED 24u  /* a message's header, and its two sizes */
#define QGS_REQUEST_SIZE (QGS_LENGTH + QGS_FIXED + QUOTE_REPORT_SIZE)
#define QGS_ANSWER_MAX (QGS_LENGTH + QGS_FIXED + QUOTE_SIZE_MAX)

/* The request for a quote over a TDREPORT, without a list of key ids. */
void qgs_request(const uint8_t report[QUOTE_REPORT_SIZE], uint8_t out[QGS_REQUEST_SIZE]);

/* How many bytes of an answer there are to be, so far: QGS_LENGTH until its length is known.
 * 0 or -EX_MALFORMED: *need is at most QGS_ANSWER_MAX. */
int qgs_answer_need(const uint8_t *bytes, size_t size, size_t *need, struct err *e);

/* Takes a whole answer of `size` bytes apart; *quote borrows from it. -EX_MALFORMED: it breaks its
 * format; -EX_REFUSED: the service gives an error and no quote. */
int qgs_answer(const uint8_t *bytes, size_t size, const uint8_t **quote, size_t *quote_size,
	       struct err *e);

#endif
