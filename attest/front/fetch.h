/* Evidence from one guest: a channel leased from the broker, one question, one answer. */
#ifndef PAVISE_ATTEST_FRONT_FETCH_H
#define PAVISE_ATTEST_FRONT_FETCH_H

#include "common/err.h"

#include <event2/event.h>
#include <stddef.h>
#include <stdint.h>

enum fetch_end {
	FETCH_OK,
	FETCH_NO_VM,   /* no VM of that name runs */
	FETCH_BUSY,    /* it does not run yet, is asked by another, or there are too many at once */
	FETCH_TIMEOUT, /* the guest did not answer in time */
	FETCH_GUEST,   /* the guest ended, or answered what is no evidence */
	FETCH_HOST,    /* the host's fault */
};

struct fetcher;

/* broker: the socket to the parent. seconds: how long a guest may take. collateral: a JSON object
 * as text that goes into every answer, NULL: none; borrowed. lost is called when the parent has
 * gone. -EX_HOST, -EX_INTERNAL. */
int fetcher_open(struct event_base *base, int broker, unsigned seconds, const char *collateral,
		 void (*lost)(void *), void *arg, struct fetcher **out, struct err *e);

/* Asks the guest of VM `name` (checked by the broker, shorter than BROKER_NAME_SIZE) for evidence
 * about the nonce. done is called exactly once, now or later: with FETCH_OK text is the evidence,
 * else why there is none; it is borrowed for the call. */
void fetch(struct fetcher *f, const char *name, const uint8_t *nonce, size_t nonce_size,
	   void (*done)(enum fetch_end, const char *text, void *), void *arg);

#endif
