/* A relay of quotes in a process of its own, and the two it stands between, played by the test: a
 * VMM, and a quote generation service that does what the test says. */
#ifndef PAVISE_TESTS_QUOTE_BENCH_H
#define PAVISE_TESTS_QUOTE_BENCH_H

#include "attest/quote/relay.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define BENCH_SOCKET "qgs.socket"

struct quote_bench {
	pid_t pid;
	int control, channel, log;
	char folder[64];
	int dir, listener;
};

/* A folder with a listening socket; no relay yet. */
struct quote_bench *quote_bench_open(void);

/* relay_serve in a child of the test, not sealed, with these limits. */
void quote_bench_fork(struct quote_bench *b, int timeout_ms, int interval_ms);

/* pavise-quote itself, as the launcher starts it. argv: descriptors 3 control, 4 channel, 5 log,
 * 6 the folder. */
void quote_bench_exec(struct quote_bench *b, char *const argv[]);

/* READY, SEAL, SEALED. */
void quote_bench_seal(struct quote_bench *b);

/* Ends it in order and gives its exit status. */
int quote_bench_stop(struct quote_bench *b);
void quote_bench_close(struct quote_bench *b);

/* The VMM. A request's report is filled with `fill`. */
void quote_bench_ask(struct quote_bench *b, uint32_t id, uint8_t fill);
/* Waits for an answer; checks its frame; *size bytes of quote. Returns its status. */
enum quote_status quote_bench_answer(struct quote_bench *b, uint32_t *id, uint8_t *quote,
				     size_t *size);

/* The service: a connection with its whole request, checked; *fill is the report's. */
int quote_bench_accept(struct quote_bench *b, uint8_t *fill);
/* An answer as it should be, of `size` bytes of quote; returns its length. */
size_t quote_bench_good(uint8_t *out, const uint8_t *quote, size_t size);
void quote_bench_send(int fd, const uint8_t *bytes, size_t size);

/* True when the log holds the text. */
bool quote_bench_logged(const struct quote_bench *b, const char *text);

#endif
