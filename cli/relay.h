/* Carries the launcher's output to where the caller wants it. The launcher's domain may write to
 * pipes of its caller but not to any file the caller can name (a home folder, /tmp): so the
 * caller's own process writes the files, with the caller's own rights. */
#ifndef PAVISE_CLI_RELAY_H
#define PAVISE_CLI_RELAY_H

#include "common/err.h"

#define RELAY_MAX 16

struct relay {
	unsigned count;
	int source[RELAY_MAX]; /* our read ends, -1 when at their end */
	int sink[RELAY_MAX];   /* where it goes; borrowed */
	int child_end[RELAY_MAX];
};

/* Adds one stream into sink (not closed by the relay); *end is the descriptor to hand to the child,
 * which stays open over its exec. */
int relay_add(struct relay *r, int sink, int *end, struct err *e);

/* Runs path with argv as a child whose standard error is `stderr_end` (from relay_add); copies
 * until every stream has ended and the child is gone; passes SIGINT, SIGTERM and SIGHUP on. Returns
 * the child's exit status, or -EX_HOST. */
int relay_run(struct relay *r, const char *path, char *const argv[], int stderr_end, struct err *e);

#endif
