/* pavise-attestd's own part: it reaches the launchers of running VMs, and leases their agent
 * channels to the front, which meets the network and is taken for hostile. */
#ifndef PAVISE_CLI_BROKER_H
#define PAVISE_CLI_BROKER_H

#include "common/err.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define BROKER_LEASES 64u

/* One channel that the front uses. */
struct lease {
	uint32_t id;
	int control; /* the lease lasts while this connection does; -1: free */
	int64_t end; /* ms, monotonic: no guest may take longer */
};

struct broker {
	int front;	     /* socket to the front */
	const char *run_dir; /* NULL: /run/pavise */
	unsigned seconds;    /* that a lease lasts at most */
	void (*ready)(void *); /* called when the front serves */
	void *arg;
	struct lease lease[BROKER_LEASES];
};

/* Serves the front until it is gone (0). Refusals are the front's to tell; what the host did wrong
 * goes to standard error. -EX_INTERNAL: the front broke the protocol. */
int broker_run(struct broker *b, struct err *e);

#endif
