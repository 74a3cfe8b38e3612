#include "devices/loop.h"

#include "common/record.h"

#include <errno.h>
#include <unistd.h>

enum { CONTROL, VHOST, EXTRA, KICK };
#define POLL_MAX (KICK + VHOST_QUEUES_MAX)

/* Waits; 0 or -EX_HOST. A signal that was stopped and continued is no reason to return. */
static int wait_for(struct pollfd *p, nfds_t count, int timeout, struct err *e)
{
	int n;

	do
		n = poll(p, count, timeout);
	while (n < 0 && errno == EINTR);
	return n < 0 ? err_errno(e, EX_HOST, errno, "cannot wait for events") : 0;
}

/* 1: RECORD_SEAL; 0: the end; -EX_INTERNAL: anything else. */
static int take_record(const struct loop *l, struct err *e)
{
	struct record r;
	int rc = record_receive(l->control, "launcher", &r, e);

	if (rc <= 0)
		return rc;
	if (r.type == RECORD_STOP)
		return 0;
	if (r.type == RECORD_SEAL)
		return 1;
	return err_set(e, EX_INTERNAL, "launcher: unexpected record %u", r.type);
}

/* 0, or negative: the front end broke the protocol. */
static int take_message(struct loop *l, struct err *e)
{
	int rc = vhost_server_input(l->server, e);

	if (rc != 0)
		return rc < 0 ? rc : 0;
	/* The VMM ended: no guest is there to serve. The launcher will say when to end. */
	l->front_gone = true;
	for (unsigned i = 0; i < l->server->offer.queue_count; i++)
		vq_stop(&l->server->queue[i]);
	return 0;
}

/* Tells the launcher once that the handshake is done; more messages may still come. */
static int tell_ready(struct loop *l, struct err *e)
{
	struct err incomplete = { 0 };

	if (l->ready_told || vhost_server_complete(l->server, &incomplete) < 0)
		return 0;
	l->ready_told = true;
	return record_send(l->control, RECORD_READY, 0, 0, e);
}

int loop_set_up(struct loop *l, struct err *e)
{
	for (;;) {
		struct pollfd p[2] = {
			{ .fd = l->control, .events = POLLIN },
			{ .fd = l->front_gone ? -1 : l->server->fd, .events = POLLIN },
		};
		int rc = wait_for(p, 2, -1, e);

		/* Messages first: what the front end sent before the launcher's record counts. */
		if (rc == 0 && p[VHOST].revents != 0) {
			rc = take_message(l, e);
			if (rc == 0)
				rc = tell_ready(l, e);
		} else if (rc == 0 && p[CONTROL].revents != 0) {
			rc = take_record(l, e);
			if (rc >= 0)
				return rc;
		}
		if (rc < 0)
			return rc;
	}
}

/* Empties the eventfd. One that is none, or is closed, would be readable for ever. */
static void take_kick(struct virtqueue *q)
{
	uint64_t count;
	ssize_t n = read(q->kick, &count, sizeof(count));

	if (n != (ssize_t)sizeof(count) && !(n < 0 && (errno == EAGAIN || errno == EINTR)))
		vq_break(q, "kick descriptor is no eventfd");
}

static void fill_poll(const struct loop *l, struct pollfd p[POLL_MAX])
{
	p[CONTROL] = (struct pollfd){ .fd = l->control, .events = POLLIN };
	p[VHOST] = (struct pollfd){ .fd = l->front_gone ? -1 : l->server->fd, .events = POLLIN };
	p[EXTRA] = (struct pollfd){ .fd = -1 };
	if (l->watch != NULL)
		l->watch(l->device, &p[EXTRA]);
	for (unsigned i = 0; i < VHOST_QUEUES_MAX; i++) {
		const struct virtqueue *q = &l->server->queue[i];

		p[KICK + i] = (struct pollfd){ .fd = vq_running(q) ? q->kick : -1,
					       .events = POLLIN };
	}
}

int loop_serve(struct loop *l, struct err *e)
{
	struct pollfd p[POLL_MAX];
	bool more = false;

	for (;;) {
		fill_poll(l, p);
		int rc = wait_for(p, POLL_MAX, more ? 0 : -1, e);

		if (rc == 0 && p[CONTROL].revents != 0) {
			rc = take_record(l, e);
			if (rc == 1)
				rc = err_set(e, EX_INTERNAL, "launcher: sealed twice");
			if (rc <= 0)
				return rc;
		}
		if (rc == 0 && p[VHOST].revents != 0)
			rc = take_message(l, e);
		if (rc < 0)
			return rc;
		for (unsigned i = 0; i < VHOST_QUEUES_MAX; i++)
			if (p[KICK + i].revents != 0 && vq_running(&l->server->queue[i]))
				take_kick(&l->server->queue[i]);
		more = l->serve(l->device, l->server->queue);
	}
}
