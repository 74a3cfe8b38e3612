/* Where the quote generation service is, and a connection to it. */
#ifndef PAVISE_ATTEST_QUOTE_SERVICE_H
#define PAVISE_ATTEST_QUOTE_SERVICE_H

#include "common/err.h"

#include <stdint.h>

struct service {
	int family;        /* AF_UNIX or AF_VSOCK */
	const char *name;  /* AF_UNIX: its socket in the working directory; borrowed */
	uint32_t cid, port; /* AF_VSOCK */
};

/* A plain file name that fits an address: no path leads elsewhere. -EX_USAGE_ERROR. */
int service_check_name(const char *name, struct err *e);

/* Begins a connection: *fd is the caller's, non-blocking. 0: connected; 1: under way, writable
 * when it is decided (service_connected); -EX_HOST: none. */
int service_connect(const struct service *s, int *fd, struct err *e);

/* Was it made? 0 or -EX_HOST. */
int service_connected(int fd, struct err *e);

#endif
