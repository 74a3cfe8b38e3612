/* Starts pavise-attest-front: another user, no capability, its own label, a handful of files. */
#ifndef PAVISE_CLI_FRONT_START_H
#define PAVISE_CLI_FRONT_START_H

#include "common/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct front_spec {
	int listen, cert, key;
	int client_ca, collateral; /* -1: none */
	uid_t uid;		   /* whom it runs as */
	gid_t gid;
	bool required; /* the label is demanded; else degraded isolation */
	uint64_t rate, burst, seconds, connections;
};

/* The process runs from the program beside our own. *broker is the caller's: our end of the socket
 * to it. -EX_HOST names what stands in the way; nothing is left then. */
int front_start(const struct front_spec *s, int *broker, pid_t *pid, struct err *e);

#endif
