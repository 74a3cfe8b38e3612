/* The list of checks that an appraisal made, each with its outcome, and the verdict they add up
 * to. Every check appears: one that was not made says why. */
#ifndef PAVISE_ATTEST_APPRAISE_CHECKS_H
#define PAVISE_ATTEST_APPRAISE_CHECKS_H

#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>

#define CHECKS_MAX 192u
#define CLAIMS_MAX 128u

enum check_status { CHECK_PASS, CHECK_FAIL, CHECK_SKIPPED };

struct check {
	char id[32]; /* stable: docs/verify-result.schema.json */
	enum check_status status;
	enum exit_status failure;  /* of CHECK_FAIL: EX_REFUSED, _COLLATERAL, _UNAUTHENTIC, … */
	char have[260], need[260]; /* values, "" when there is nothing to compare */
	char note[512];		   /* what is checked, or why it failed or was skipped */
	/* "" where there is nothing to say: the part that is concerned ("qe", "pcr 7"), vendors'
	 * advisories ("INTEL-SA-00837 INTEL-SA-00960"), what the reader can do. */
	char component[64], advisory[512], next[200];
};

/* One thing that the evidence says of itself, believed only as far as the checks go. */
struct claim {
	char name[48];	 /* stable: "snp.measurement", "tdx.rtmr0" */
	char value[264]; /* bytes in hexadecimal, numbers in decimal, or text */
};

struct checks {
	struct check item[CHECKS_MAX];
	size_t count;
	struct claim claim[CLAIMS_MAX];
	size_t claim_count;
	bool overflow; /* a bug: the verdict is then never affirming */
	/* Put before the note of every check that follows; NULL: nothing. */
	const char *label;
	const char *scope;   /* what an affirming verdict rests on; NULL: a plain machine's */
	bool private_root;   /* it rests on a root that is not AMD's: the verdict says so */
	bool only_authentic; /* nobody said what to accept: no failure means just authentic */
	bool no_reference;   /* nobody said what should have been booted: the verdict says so */
};

/* An empty list, as one of zeros is, without touching the room for checks: a third of a megabyte. */
void checks_init(struct checks *c);

/* Append one check; the text is formatted. Text in have and need is copied, NULL is "". */
void check_pass(struct checks *c, const char *id, const char *have, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void check_fail(struct checks *c, const char *id, enum exit_status failure, const char *have,
		const char *need, const char *fmt, ...) __attribute__((format(printf, 6, 7)));
void check_skip(struct checks *c, const char *id, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* More about the check appended last; NULL: nothing. */
void check_tell(struct checks *c, const char *component, const char *advisory, const char *next);
/* Append one claim: bytes (at most 128) in hexadecimal, a number, a text. One too many is lost, and
 * then overflow is set. */
void claim_hex(struct checks *c, const char *name, const void *bytes, size_t n);
void claim_number(struct checks *c, const char *name, unsigned long long value);
void claim_text(struct checks *c, const char *name, const char *text);
/* A failure told by a struct err of a class that a check can have. */
void check_fail_err(struct checks *c, const char *id, const struct err *e);

/* The exit status they add up to: malformed over not authentic over collateral missing over
 * refused over EX_OK. */
enum exit_status checks_verdict(const struct checks *c);
/* "refused by policy", "collateral missing or expired", "not authentic", "malformed". */
const char *verdict_name(enum exit_status verdict);
/* "pass", "fail", "skipped". */
const char *check_status_name(enum check_status s);
/* What an affirming verdict rests on, in words. */
const char *checks_scope(const struct checks *c);
/* The verdict as it is printed: for EX_OK with what it rests on, where that is less than usual. */
const char *checks_verdict_name(const struct checks *c);

#endif
