#include "attest/front/fetch.h"

#include "attest/agent/answer.h"
#include "attest/front/broker_wire.h"
#include "common/fdpass.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#define PENDING_MAX 64u /* the broker leases no more */

struct pending {
	TAILQ_ENTRY(pending) link;
	struct fetcher *fetcher;
	uint32_t id;
	char name[BROKER_NAME_SIZE];
	uint8_t nonce[WIRE_NONCE_MAX];
	size_t nonce_size;
	int channel; /* -1: not leased yet */
	struct host_claims host;
	struct event *readable, *deadline;
	struct answer answer;
	void (*done)(enum fetch_end, const char *, void *);
	void *arg;
};

struct fetcher {
	struct event_base *base;
	int broker;
	struct event *readable;
	unsigned seconds, count;
	const char *collateral;
	void (*lost)(void *);
	void *arg;
	uint32_t next_id;
	TAILQ_HEAD(pending_list, pending) pending;
};

static void tell_broker(struct fetcher *f, enum broker_request_type type, const struct pending *p)
{
	struct broker_request q = { .magic = BROKER_MAGIC, .type = type, .id = p->id };

	memcpy(q.name, p->name, sizeof(q.name));
	/* 64 requests fit into the socket; one that does not means that the parent hangs. */
	if (send(f->broker, &q, sizeof(q), MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)sizeof(q))
		f->lost(f->arg);
}

/* Everything of p ends here: the lease first, since the caller may ask again at once. */
static void finish(struct pending *p, enum fetch_end end, const char *text)
{
	struct fetcher *f = p->fetcher;

	if (p->readable != NULL)
		event_free(p->readable);
	if (p->deadline != NULL)
		event_free(p->deadline);
	if (p->channel >= 0)
		close(p->channel);
	tell_broker(f, BROKER_CLOSE, p);
	TAILQ_REMOVE(&f->pending, p, link);
	f->count--;
	p->done(end, text, p->arg);
	answer_free(&p->answer);
	free(p);
}

static void deliver(struct pending *p)
{
	struct err e = { 0 };
	size_t size;
	char *out = NULL;
	const char *text = answer_text(&p->answer, &size);
	int r = answer_evidence(text, size, &p->host, p->fetcher->collateral, &out, &e);

	if (r < 0)
		finish(p, r == -EX_MALFORMED ? FETCH_GUEST : FETCH_HOST, e.text);
	else
		finish(p, FETCH_OK, out);
	free(out);
}

static void on_channel(evutil_socket_t fd, short what, void *arg)
{
	struct pending *p = arg;
	struct err e = { 0 };
	size_t size;
	uint8_t *space = answer_space(&p->answer, &size);

	(void)what;
	ssize_t n = recv(fd, space, size, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		finish(p, FETCH_GUEST, "agent channel: closed: the guest has ended");
		return;
	}
	int r = answer_took(&p->answer, (size_t)n, &e);
	if (r < 0)
		finish(p, FETCH_GUEST, e.text);
	else if (r > 0)
		deliver(p);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	finish(arg, FETCH_TIMEOUT, "agent: no answer in time: is pavise-agent running in the guest?");
}

static void ask(struct pending *p)
{
	uint8_t request[WIRE_HEADER + WIRE_NONCE_MAX];
	struct err e = { 0 };
	uint32_t id;

	if (getrandom(&id, sizeof(id), 0) != sizeof(id) || answer_begin(&p->answer, id, &e) < 0) {
		finish(p, FETCH_HOST, "out of memory");
		return;
	}
	size_t n = answer_request(id, p->nonce, p->nonce_size, request);
	if (send(p->channel, request, n, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)n) {
		finish(p, FETCH_GUEST, "agent channel: cannot send: is the guest running?");
		return;
	}
	p->readable = event_new(p->fetcher->base, p->channel, EV_READ | EV_PERSIST, on_channel, p);
	if (p->readable == NULL || event_add(p->readable, NULL) != 0)
		finish(p, FETCH_HOST, "out of memory");
}

static struct pending *find(struct fetcher *f, uint32_t id)
{
	struct pending *p;

	TAILQ_FOREACH(p, &f->pending, link)
		if (p->id == id)
			return p;
	return NULL;
}

static void take_answer(struct fetcher *f, const struct broker_answer *a, int fd)
{
	struct pending *p = find(f, a->id);

	/* Too late for one that timed out; the broker has been told to close that lease. */
	if (p == NULL || p->channel >= 0) {
		if (fd >= 0)
			close(fd);
		return;
	}
	p->channel = fd;
	p->host = (struct host_claims){ .vm = p->name, .degraded = a->degraded != 0,
					.missing = a->missing };
	if (a->result == BROKER_NO_VM)
		finish(p, FETCH_NO_VM, "no VM of that name runs here");
	else if (a->result == BROKER_BUSY)
		finish(p, FETCH_BUSY, "the guest does not run yet or is being asked: try again");
	else if (a->result != BROKER_OK || fd < 0)
		finish(p, FETCH_HOST, "the host could not reach the VM's launcher");
	else
		ask(p);
}

static void on_broker(evutil_socket_t sock, short what, void *arg)
{
	struct fetcher *f = arg;
	struct broker_answer a;
	struct err e = { 0 };
	size_t size = 0, count = 0;
	int fd = -1;

	(void)what;
	if (fdpass_receive(sock, &a, sizeof(a), &size, &fd, 1, &count, &e) < 0 ||
	    size != sizeof(a) || a.magic != BROKER_MAGIC)
		f->lost(f->arg);
	else
		take_answer(f, &a, count == 1 ? fd : -1);
}

int fetcher_open(struct event_base *base, int broker, unsigned seconds, const char *collateral,
		 void (*lost)(void *), void *arg, struct fetcher **out, struct err *e)
{
	struct fetcher *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return err_set(e, EX_HOST, "out of memory");
	*f = (struct fetcher){ .base = base, .broker = broker, .seconds = seconds,
			       .collateral = collateral, .lost = lost, .arg = arg };
	TAILQ_INIT(&f->pending);
	f->readable = event_new(base, broker, EV_READ | EV_PERSIST, on_broker, f);
	if (f->readable == NULL || event_add(f->readable, NULL) != 0) {
		free(f);
		return err_set(e, EX_INTERNAL, "libevent cannot watch the broker");
	}
	*out = f;
	return 0;
}

void fetch(struct fetcher *f, const char *name, const uint8_t *nonce, size_t nonce_size,
	   void (*done)(enum fetch_end, const char *text, void *), void *arg)
{
	struct timeval limit = { .tv_sec = f->seconds };
	struct pending *p;

	if (f->count >= PENDING_MAX) {
		done(FETCH_BUSY, "too many requests at once: try again", arg);
		return;
	}
	p = calloc(1, sizeof(*p));
	if (p == NULL) {
		done(FETCH_HOST, "out of memory", arg);
		return;
	}
	*p = (struct pending){ .fetcher = f, .id = f->next_id++, .channel = -1,
			       .nonce_size = nonce_size, .done = done, .arg = arg };
	snprintf(p->name, sizeof(p->name), "%s", name);
	memcpy(p->nonce, nonce, nonce_size);
	TAILQ_INSERT_TAIL(&f->pending, p, link);
	f->count++;
	tell_broker(f, BROKER_OPEN, p);
	p->deadline = evtimer_new(f->base, on_deadline, p);
	if (p->deadline == NULL || evtimer_add(p->deadline, &limit) != 0)
		finish(p, FETCH_HOST, "out of memory");
}
