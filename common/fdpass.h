/* Descriptors over UNIX sockets (SCM_RIGHTS), with the two traps closed: descriptors are
 * close-on-exec at once, and a truncated or label-refused one (MSG_CTRUNC) is an error. */
#ifndef PAVISE_COMMON_FDPASS_H
#define PAVISE_COMMON_FDPASS_H

#include "common/err.h"

#include <stddef.h>

#define FDPASS_MAX 16

/* Sends size bytes at data (at least 1) with count descriptors, 0..FDPASS_MAX. */
int fdpass_send(int sock, const void *data, size_t size, const int *fds, size_t count,
		struct err *e);

/* Receives one message of at most size bytes and at most max descriptors. *got_size 0 means the
 * peer closed. More descriptors than max, or MSG_CTRUNC, closes all and is -EX_INTERNAL.
 * On success fds[0..*got_fds) belong to the caller. */
int fdpass_receive(int sock, void *data, size_t size, size_t *got_size, int *fds, size_t max,
		   size_t *got_fds, struct err *e);

#endif
