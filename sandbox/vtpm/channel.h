/* Bounded exchange over a stream socket whose peer may be hostile, slow or gone. */
#ifndef PAVISE_SANDBOX_VTPM_CHANNEL_H
#define PAVISE_SANDBOX_VTPM_CHANNEL_H

#include "common/err.h"

#include <stddef.h>
#include <stdint.h>

/* Now + timeout_ms on the monotonic clock, for the functions below. */
int64_t channel_deadline(int timeout_ms);

/* Sends all of it, or -EX_HOST by the deadline. `what` names the exchange in texts. */
int channel_send(int fd, const char *what, const void *data, size_t size, int64_t deadline,
		 struct err *e);

/* Receives exactly size bytes, or -EX_HOST by the deadline. */
int channel_receive(int fd, const char *what, void *data, size_t size, int64_t deadline,
		    struct err *e);

/* -EX_HOST when bytes wait that nobody asked for, or the peer is gone. */
int channel_quiet(int fd, const char *what, struct err *e);

#endif
