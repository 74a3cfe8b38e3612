#include "cli/broker.h"

#include "attest/front/broker_wire.h"
#include "cli/control_client.h"
#include "common/fdpass.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define LAUNCHER_SECONDS 5 /* a launcher answers at once, or is not well */

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void end_lease(struct lease *l)
{
	if (l->control >= 0)
		close(l->control);
	l->control = -1;
}

static struct lease *free_lease(struct broker *b)
{
	for (unsigned i = 0; i < BROKER_LEASES; i++)
		if (b->lease[i].control < 0)
			return &b->lease[i];
	return NULL;
}

/* The launcher's answers: who runs, and the channel. */
static enum broker_result ask_launcher(int control, int *channel, struct broker_answer *a,
				       struct err *e)
{
	struct timeval limit = { .tv_sec = LAUNCHER_SECONDS };
	struct control_record answer = { 0 };
	bool degraded;

	setsockopt(control, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	int r = control_ask(control, CONTROL_STATUS, &answer, NULL, e);
	control_isolation(&answer, &degraded, &a->missing);
	a->degraded = degraded;
	if (r == 0)
		r = control_ask(control, CONTROL_ATTEST_CHANNEL, &answer, channel, e);
	return r == 0 ? BROKER_OK : r == -EX_BUSY ? BROKER_BUSY : BROKER_FAILED;
}

static enum broker_result open_lease(struct broker *b, const char *name, struct lease *l,
				     int *channel, struct broker_answer *a, struct err *e)
{
	int r = control_connect(b->run_dir, name, &l->control, e);

	if (r < 0) {
		l->control = -1;
		return r == -EX_BUSY || r == -EX_USAGE_ERROR ? BROKER_NO_VM : BROKER_FAILED;
	}
	enum broker_result result = ask_launcher(l->control, channel, a, e);
	if (result != BROKER_OK)
		end_lease(l);
	return result;
}

static int handle_open(struct broker *b, const struct broker_request *q, struct err *e)
{
	struct broker_answer a = { .magic = BROKER_MAGIC, .id = q->id, .result = BROKER_BUSY };
	struct lease *l = free_lease(b);
	struct err why = { 0 };
	int channel = -1;

	if (l != NULL)
		a.result = open_lease(b, q->name, l, &channel, &a, &why);
	if (a.result == BROKER_FAILED)
		err_report(&why, "pavise-attestd");
	if (a.result == BROKER_OK) {
		l->id = q->id;
		l->end = now_ms() + (int64_t)b->seconds * 1000;
	}
	int r = fdpass_send(b->front, &a, sizeof(a), &channel, channel >= 0 ? 1 : 0, e);
	if (channel >= 0)
		close(channel);
	return r;
}

static void handle_close(struct broker *b, uint32_t id)
{
	for (unsigned i = 0; i < BROKER_LEASES; i++)
		if (b->lease[i].control >= 0 && b->lease[i].id == id)
			end_lease(&b->lease[i]);
}

/* 1: go on; 0: the front has gone. */
static int handle(struct broker *b, struct err *e)
{
	struct broker_request q;
	size_t size = 0, count = 0;

	if (fdpass_receive(b->front, &q, sizeof(q), &size, NULL, 0, &count, e) < 0)
		return -EX_INTERNAL;
	if (size == 0)
		return 0;
	if (size != sizeof(q) || q.magic != BROKER_MAGIC ||
	    memchr(q.name, '\0', sizeof(q.name)) == NULL)
		return err_set(e, EX_INTERNAL, "the front sent what is no request");
	if (q.type == BROKER_OPEN)
		return handle_open(b, &q, e) < 0 ? -EX_INTERNAL : 1;
	if (q.type == BROKER_CLOSE)
		handle_close(b, q.id);
	else if (q.type == BROKER_READY)
		b->ready(b->arg);
	else
		return err_set(e, EX_INTERNAL, "the front sent a request of unknown type %u",
			       q.type);
	return 1;
}

/* Ends what is over; ms until the next one is, -1 when there is none. */
static int expire(struct broker *b)
{
	int64_t now = now_ms(), next = -1;

	for (unsigned i = 0; i < BROKER_LEASES; i++) {
		struct lease *l = &b->lease[i];
		if (l->control >= 0 && l->end <= now)
			end_lease(l);
		if (l->control >= 0 && (next < 0 || l->end - now < next))
			next = l->end - now;
	}
	return next > 60000 ? 60000 : (int)next;
}

int broker_run(struct broker *b, struct err *e)
{
	struct pollfd p = { .fd = b->front, .events = POLLIN };
	int r = 1;

	for (unsigned i = 0; i < BROKER_LEASES; i++)
		b->lease[i].control = -1;
	while (r > 0) {
		int n = poll(&p, 1, expire(b));
		if (n < 0 && errno != EINTR)
			r = err_errno(e, EX_INTERNAL, errno, "poll");
		else if (n > 0)
			r = handle(b, e);
	}
	return r;
}
