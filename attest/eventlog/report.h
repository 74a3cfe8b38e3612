/* An event log as text for people, or as JSON (docs/eventlog.schema.json). */
#ifndef PAVISE_ATTEST_EVENTLOG_REPORT_H
#define PAVISE_ATTEST_EVENTLOG_REPORT_H

#include "attest/tpm/event_meaning.h"

#include <stdio.h>

/* What the indices of a log's events count. */
enum registers { REGISTERS_PCR, REGISTERS_RTMR };

/* All that is said about a log as a whole; made by summary_make. */
struct summary {
	const uint8_t *data; /* borrowed */
	size_t size;	     /* bytes */
	enum registers registers;
	struct eventlog log; /* opened: its banks and form */
	struct eventlog_tail tail;
	char tail_cause[512]; /* why an opaque tail is no event; "" otherwise */
	enum secure_boot secure_boot;
	uint32_t events; /* the Spec ID event is not one of them */
	/* One per bank of the log; known[i] false: an algorithm that we do not compute. */
	bool known[EVENTLOG_ALG_MAX];
	struct replay replay[EVENTLOG_ALG_MAX];
};

/* -EX_MALFORMED for what is no event log at all, -EX_INTERNAL when libcrypto fails. */
int summary_make(const void *data, size_t size, struct summary *out, struct err *e);

/* "sha256", or "0x0027" for a bank that we do not compute; out holds 16 bytes. */
const char *bank_name(uint16_t alg, char out[16]);
/* "PCR 7", "RTMR0", "MRTD", "none"; out holds 24 bytes. */
const char *register_name(enum registers kind, uint32_t index, char out[24]);
const char *end_name(enum eventlog_end kind);
const char *secure_boot_name(enum secure_boot s);

/* -EX_HOST when f cannot be written, -EX_INTERNAL. */
int eventlog_text(FILE *f, const struct summary *s, struct err *e);
int eventlog_json(FILE *f, const struct summary *s, struct err *e);

#endif
