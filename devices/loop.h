/* The one thread of a back end: a poll loop in two phases. No allocation, no stdio, no clock:
 * after sealing only the system calls of its seccomp table are left. */
#ifndef PAVISE_DEVICES_LOOP_H
#define PAVISE_DEVICES_LOOP_H

#include "devices/vhost_server.h"

#include <poll.h>

struct loop {
	int control; /* SOCK_SEQPACKET to the launcher */
	struct vhost_server *server;
	void *device;
	/* Serves the queues, a bounded amount; true: more may be waiting. */
	bool (*serve)(void *device, struct virtqueue *queues);
	/* One more descriptor to wait for: fills fd and events, fd -1 for none. May be NULL. */
	void (*watch)(const void *device, struct pollfd *out);
	bool ready_told; /* RECORD_READY was sent */
	bool front_gone; /* the front end closed: only control is left */
};

/* Set-up messages, no guest data; RECORD_READY goes out when all is there that cannot come after
 * sealing. 1: RECORD_SEAL came; 0: end in order (RECORD_STOP or the
 * launcher closed control); negative: error. */
int loop_set_up(struct loop *l, struct err *e);

/* After sealing: the data path. 0: end in order; negative: error. */
int loop_serve(struct loop *l, struct err *e);

#endif
