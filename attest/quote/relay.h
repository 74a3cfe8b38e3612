/* The loop of pavise-quote: requests of one VMM, one after the other, to the service. What the
 * guest gets to choose is the TDREPORT; what the service gets to choose is a bounded quote. */
#ifndef PAVISE_ATTEST_QUOTE_RELAY_H
#define PAVISE_ATTEST_QUOTE_RELAY_H

#include "attest/quote/qgs.h"
#include "attest/quote/service.h"
#include "common/err.h"
#include "common/quote_wire.h"

#include <stdbool.h>
#include <stdint.h>

#define RELAY_TIMEOUT_MS 30000 /* for one quote: as long as Linux in the guest waits for one */
#define RELAY_INTERVAL_MS 200  /* between two connections: one guest is not to take all quotes */

/* One connection. */
struct relay_exchange {
	int fd;          /* -1: none */
	bool connecting;
	int64_t deadline;
	size_t sent, got;
	uint8_t out[QGS_REQUEST_SIZE], in[QGS_ANSWER_MAX];
};

struct relay {
	struct service service;
	int control;    /* records of the launcher */
	int channel;    /* the VMM's; -1 once it has closed or broken its framing */
	int log;
	int timeout_ms, interval_ms;
	struct quote_request queue[QUOTE_OUTSTANDING_MAX]; /* [0]: the one in work */
	unsigned waiting;
	int64_t not_before; /* of the next connection */
	struct relay_exchange exchange;
};

/* Closed and empty, with the limits above. */
void relay_init(struct relay *r);

/* Serves until the launcher says STOP or is gone: 0, or -EX_INTERNAL. Before RECORD_SEAL no request
 * is read and no connection made; the caller is sealed already. */
int relay_serve(struct relay *r, struct err *e);

#endif
