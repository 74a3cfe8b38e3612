#include "attest/front/limits.h"

#include <netinet/in.h>
#include <string.h>

#define TOKEN 60000ull /* millitokens of one request: per_minute of them come in a millisecond */

struct client client_of(const struct sockaddr *peer, socklen_t size)
{
	struct client c = { { 0 } };
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	if (peer->sa_family == AF_INET && size >= sizeof(in)) {
		memcpy(&in, peer, sizeof(in));
		c.address[0] = 4;
		memcpy(c.address + 1, &in.sin_addr, 4);
	} else if (peer->sa_family == AF_INET6 && size >= sizeof(in6)) {
		memcpy(&in6, peer, sizeof(in6));
		bool v4 = IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr);
		c.address[0] = v4 ? 4 : 6;
		memcpy(c.address + 1, in6.sin6_addr.s6_addr + (v4 ? 12 : 0), v4 ? 4 : 8);
	}
	return c;
}

bool client_same(const struct client *a, const struct client *b)
{
	return memcmp(a->address, b->address, sizeof(a->address)) == 0;
}

void limits_init(struct limits *l, uint32_t per_minute, uint32_t burst)
{
	memset(l, 0, sizeof(*l));
	l->per_minute = per_minute;
	l->burst = burst;
}

static struct bucket *find(struct limits *l, const struct client *c)
{
	struct bucket *oldest = &l->bucket[0];

	for (unsigned i = 0; i < LIMITS_CLIENTS; i++) {
		struct bucket *b = &l->bucket[i];
		if (b->used && client_same(&b->client, c))
			return b;
		if (oldest->used && (!b->used || b->seen < oldest->seen))
			oldest = b;
	}
	oldest->used = false;
	return oldest;
}

uint32_t limits_take(struct limits *l, const struct client *c, uint64_t now)
{
	struct bucket *b = find(l, c);
	uint64_t full = l->burst * TOKEN;

	if (!b->used) {
		*b = (struct bucket){ .client = *c, .used = true, .millitokens = full };
	} else {
		/* A minute fills nothing but what was used; a longer absence must not overflow. */
		uint64_t ms = now - b->seen;
		uint64_t gain = ms > full / l->per_minute ? full : ms * l->per_minute;
		b->millitokens = full - b->millitokens < gain ? full : b->millitokens + gain;
	}
	b->seen = now;
	if (b->millitokens >= TOKEN) {
		b->millitokens -= TOKEN;
		return 0;
	}
	return (uint32_t)((TOKEN - b->millitokens) / l->per_minute / 1000) + 1;
}
