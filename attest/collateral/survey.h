/* Everything that collateral holds, part by part, with what each is worth at a time, and what a
 * verifier will miss. */
#ifndef PAVISE_ATTEST_COLLATERAL_SURVEY_H
#define PAVISE_ATTEST_COLLATERAL_SURVEY_H

#include "attest/collateral/trust.h"

#define SURVEY_GAPS_MAX 4u

struct survey {
	struct collateral_proof proof[COLLATERAL_PARTS_MAX]; /* of each part, in its order */
	const char *gap[SURVEY_GAPS_MAX]; /* what is not there at all, though it belongs to it */
	size_t gaps;
	bool private_root; /* some part rests on a root that is no vendor's */
};

/* Proves every part; of certificates each of the file. */
void survey_make(const struct collateral *c, const struct collateral_trust *t, struct survey *out);

/* The worst of it: EX_UNAUTHENTIC, EX_COLLATERAL (missing or not current) or EX_OK. */
enum exit_status survey_status(const struct collateral *c, const struct survey *s);

/* "TDX TCB info, FMSPC 90c06f000000, evaluation 18", "certificates: A, B" … */
void survey_describe(const struct collateral_part *p, char *out, size_t size);

/* When the part was made and until when it counts; false: its kind has no such dates. */
bool survey_dates(const struct collateral_part *p, time_t *from, time_t *to);

#endif
