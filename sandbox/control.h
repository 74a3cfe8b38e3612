/* The launcher's side of the control socket. Never blocks: a client that does not read or
 * sends nonsense loses its connection. */
#ifndef PAVISE_SANDBOX_CONTROL_H
#define PAVISE_SANDBOX_CONTROL_H

#include "common/err.h"
#include "sandbox/control_format.h"
#include "sandbox/rundir.h"

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#define CONTROL_CLIENT_MAX 8
#define CONTROL_POLL_MAX (1 + CONTROL_CLIENT_MAX)

struct control {
	int listener;
	int client[CONTROL_CLIENT_MAX]; /* -1: free */
	int lessee;                     /* index of the client with the agent channel; -1 */
};

/* What answers are made of. */
struct control_view {
	enum control_phase phase;
	enum control_isolation isolation;
	unsigned missing;   /* bits of enum isolation_missing */
	int agent_channel;
	/* Writes what is said of `described`; its length, or 0. */
	size_t (*describe)(const void *described, char *out, size_t size);
	const void *described;
};

/* Listens on NAME/control.sock, mode 0600. */
int control_open(const struct rundir *d, struct control *c, struct err *e);
void control_close(struct control *c);

/* Fills pfd[0..CONTROL_POLL_MAX); unused entries have fd -1. */
void control_prepare(const struct control *c, struct pollfd *pfd);

/* Serves what poll found. True: somebody who may asked for a stop. */
bool control_serve(struct control *c, const struct pollfd *pfd, const struct control_view *view);

#endif
