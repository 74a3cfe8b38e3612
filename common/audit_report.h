/* What an audit found, of a policy, a running VM or a host: questions with stable ids, the open
 * answers to them, and the exposure they add up to. */
#ifndef PAVISE_COMMON_AUDIT_REPORT_H
#define PAVISE_COMMON_AUDIT_REPORT_H

#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define REPORT_FINDINGS_MAX 100000u /* what breaks more is cut, and says so */

/* One question. */
struct question {
	const char *id;
	unsigned weight; /* 1..10: what an open answer costs */
	bool gate;       /* an open answer alone makes the exposure 10 */
	const char *what;
	const char *why;
	const char *fix;
};

struct finding {
	const struct question *question;
	char *text;   /* where, and what is there instead */
	bool unknown; /* the answer could not be had: no better than a bad one */
};

/* What was audited, and from where: "policy FILE, as seen from SCOPE". */
struct audit_object {
	const char *format; /* of the JSON: "pavise-policy-audit" */
	const char *key;    /* of the object in it: "policy" */
	const char *name;
	const char *scope;
};

struct report {
	const struct question *asked[64];
	unsigned asked_count;
	struct finding *finding; /* open answers */
	size_t count;
	bool cut; /* more was open, or to be looked at, than there is room for */
};

/* Notes that the question was asked of everything it is about. */
void report_ask(struct report *r, const struct question *q);

/* One open answer to it. -EX_HOST: out of memory. */
int report_open(struct report *r, const struct question *q, struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* The same for one that could not be answered. */
int report_unknown(struct report *r, const struct question *q, struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* 0 (nothing is open) to 10 (a gate is, or all). */
double report_exposure(const struct report *r);
const char *report_word(double exposure);

/* -EX_HOST when it cannot be written. */
int report_text(const struct report *r, const struct audit_object *o, FILE *out, struct err *e);
int report_json(const struct report *r, const struct audit_object *o, FILE *out, struct err *e);

/* --threshold: a number from 0 to 10. -EX_USAGE_ERROR. */
int report_threshold(const char *text, double *out, struct err *e);

void report_free(struct report *r);

#endif
