/* How often a client may ask: a token bucket for each address. */
#ifndef PAVISE_ATTEST_FRONT_LIMITS_H
#define PAVISE_ATTEST_FRONT_LIMITS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#define LIMITS_CLIENTS 1024u

/* Who a peer is: its IPv4 address, or the first 64 bits of its IPv6 address, since a subscriber
 * has all of the other 64. */
struct client {
	uint8_t address[9]; /* family tag, then the address */
};

struct client client_of(const struct sockaddr *peer, socklen_t size);
bool client_same(const struct client *a, const struct client *b);

struct limits {
	uint32_t per_minute; /* tokens that a bucket gains in a minute, at least 1 */
	uint32_t burst;	     /* tokens that it holds, at least 1 */
	struct bucket {
		struct client client;
		bool used;
		uint64_t millitokens;
		uint64_t seen; /* ms, monotonic */
	} bucket[LIMITS_CLIENTS];
};

void limits_init(struct limits *l, uint32_t per_minute, uint32_t burst);

/* May this client ask now (ms, monotonic, never going back)? 0, or the seconds until it may. A
 * client without a bucket takes a free one, else that of the client seen longest ago: who has that
 * many addresses is not held by this. */
uint32_t limits_take(struct limits *l, const struct client *c, uint64_t now);

#endif
