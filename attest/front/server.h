/* The listener: TLS connections, their number and their time bounded, one request on each. */
#ifndef PAVISE_ATTEST_FRONT_SERVER_H
#define PAVISE_ATTEST_FRONT_SERVER_H

#include "attest/front/limits.h"
#include "common/err.h"

#include <event2/event.h>
#include <event2/http.h>
#include <openssl/ssl.h>

struct server_limits {
	unsigned connections;		 /* at a time */
	unsigned connections_per_client; /* at a time */
	unsigned seconds;		 /* that a connection lives */
};

struct server;

/* Serves what comes on the listening socket fd: every request goes to handler, which answers it
 * exactly once, now or later. server_close ends it. ctx is borrowed. -EX_INTERNAL. */
int server_open(struct event_base *base, int fd, SSL_CTX *ctx, const struct server_limits *limits,
		void (*handler)(struct evhttp_request *, void *), void *arg, struct server **out,
		struct err *e);
void server_close(struct server *s);

#endif
