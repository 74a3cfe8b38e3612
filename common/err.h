/* Errors: every function that can fail for an outside reason returns 0 or a negative
 * exit class (below) and fills a struct err whose text is one line:
 *   "OBJECT: cause: next step"
 * Only main files turn it into an exit status. */
#ifndef PAVISE_COMMON_ERR_H
#define PAVISE_COMMON_ERR_H

#include <stdarg.h>

/* Exit statuses of every pavise program: documented in pavise(1), stable. */
enum exit_status {
	EX_OK = 0,            /* done; verify: affirming; run: the guest powered off */
	EX_REFUSED = 1,       /* refused by policy */
	EX_UNAUTHENTIC = 2,   /* signature, chain or binding does not hold */
	EX_MALFORMED = 3,     /* an input file or message breaks its format */
	EX_COLLATERAL = 4,    /* collateral missing or expired */
	EX_HOST = 5,          /* the host lacks something or denies it */
	EX_BUSY = 6,          /* name in use, channel in use, no such VM */
	EX_GUEST = 7,         /* the guest ended abnormally (crash, reset, agent refusal) */
	EX_FIRMWARE = 8,      /* the guest firmware stopped the boot; its code is printed */
	EX_USAGE_ERROR = 64,  /* wrong option, wrong value */
	EX_INTERNAL = 70,     /* a bug, or a child of ours broke its promise */
};

struct err {
	int status;      /* an enum exit_status, EX_OK when nothing is wrong */
	char text[512];  /* one line without newline; control characters replaced */
};

/* Fills *e (an earlier text is kept: the first error is the cause) and returns -status.
 * e may not be NULL. */
int err_set(struct err *e, enum exit_status status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* As err_set, with ": " and strerror(errno_value) after the text. */
int err_errno(struct err *e, enum exit_status status, int errno_value, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Prints "PROGRAM: text" to standard error and returns the exit status. */
int err_report(const struct err *e, const char *program);

#endif
