#include "attest/quote/relay.h"

#include "common/record.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { POLL_CONTROL, POLL_CHANNEL, POLL_SERVICE, POLL_COUNT };

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Not dprintf: it would ask for a buffer, and sealed there are no calls for that. */
static void say(const struct relay *r, const char *text)
{
	char line[sizeof(((struct err *)0)->text) + 16];
	int n = snprintf(line, sizeof(line), "pavise-quote: %s\n", text);

	(void)!write(r->log, line, (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1);
}

void relay_init(struct relay *r)
{
	*r = (struct relay){ .control = -1, .channel = -1, .log = -1,
			     .timeout_ms = RELAY_TIMEOUT_MS, .interval_ms = RELAY_INTERVAL_MS,
			     .exchange = { .fd = -1 } };
}

/* ---- the VMM ------------------------------------------------------------------------------- */

static void end_channel(struct relay *r)
{
	close_fd(&r->channel);
	close_fd(&r->exchange.fd);
	r->waiting = 0;
}

/* Ends the work at queue[0]: the next may begin. */
static void answer(struct relay *r, enum quote_status status, const uint8_t *quote, size_t size)
{
	static uint8_t message[sizeof(struct quote_answer) + QUOTE_SIZE_MAX];
	const struct quote_answer head = { .magic = QUOTE_MAGIC, .id = r->queue[0].id,
					   .status = status, .size = (uint32_t)size };

	close_fd(&r->exchange.fd);
	memcpy(message, &head, sizeof(head));
	if (size > 0)
		memcpy(message + sizeof(head), quote, size);
	r->waiting--;
	memmove(&r->queue[0], &r->queue[1], r->waiting * sizeof(r->queue[0]));
	/* The VMM's QUOTE_OUTSTANDING_MAX answers fit the socket; one that does not read them is
	 * not waited for. */
	ssize_t n = send(r->channel, message, sizeof(head) + size, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n != (ssize_t)(sizeof(head) + size)) {
		say(r, "VMM: does not take an answer");
		end_channel(r);
	}
}

static void fail(struct relay *r, enum quote_status status, const struct err *e)
{
	say(r, e->text);
	answer(r, status, NULL, 0);
}

static void take_request(struct relay *r)
{
	struct quote_request *q = &r->queue[r->waiting];
	ssize_t n;

	/* recvfrom delivers no descriptor. MSG_TRUNC: the true length of one too long. */
	do
		n = recv(r->channel, q, sizeof(*q), MSG_TRUNC | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n == (ssize_t)sizeof(*q) && q->magic == QUOTE_MAGIC) {
		r->waiting++;
		return;
	}
	if (n > 0)
		say(r, "VMM: a message that is no request for a quote: no more quotes for it");
	end_channel(r);
}

/* ---- the service --------------------------------------------------------------------------- */

static void begin(struct relay *r, int64_t now)
{
	struct relay_exchange *x = &r->exchange;
	struct err e = { 0 };

	r->not_before = now + r->interval_ms;
	x->deadline = now + r->timeout_ms;
	x->sent = x->got = 0;
	qgs_request(r->queue[0].report, x->out);
	int rc = service_connect(&r->service, &x->fd, &e);
	x->connecting = rc > 0;
	if (rc < 0)
		fail(r, QUOTE_UNAVAILABLE, &e);
}

static void send_request(struct relay *r)
{
	struct relay_exchange *x = &r->exchange;
	struct err e = { 0 };

	if (x->connecting && service_connected(x->fd, &e) != 0) {
		fail(r, QUOTE_UNAVAILABLE, &e);
		return;
	}
	x->connecting = false;
	ssize_t n = send(x->fd, x->out + x->sent, sizeof(x->out) - x->sent, MSG_NOSIGNAL);
	if (n > 0) {
		x->sent += (size_t)n;
	} else if (errno != EAGAIN && errno != EINTR) {
		err_errno(&e, EX_HOST, errno, "QGS: ended the connection before the request");
		fail(r, QUOTE_UNAVAILABLE, &e);
	}
}

/* Never more than the answer says it has: what a service sends after it is not read. */
static void receive_answer(struct relay *r)
{
	struct relay_exchange *x = &r->exchange;
	const uint8_t *quote = NULL;
	struct err e = { 0 };
	size_t need = 0, size = 0;

	if (qgs_answer_need(x->in, x->got, &need, &e) != 0) {
		fail(r, QUOTE_FAILED, &e);
		return;
	}
	ssize_t n = recv(x->fd, x->in + x->got, need - x->got, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		err_set(&e, EX_HOST, "QGS: ended the connection after %zu bytes of its answer: see "
			"its log", x->got);
		fail(r, QUOTE_FAILED, &e);
		return;
	}
	x->got += (size_t)n;
	int rc = qgs_answer_need(x->in, x->got, &need, &e);
	if (rc == 0 && (x->got < need || need == QGS_LENGTH))
		return;
	if (rc == 0)
		rc = qgs_answer(x->in, x->got, &quote, &size, &e);
	if (rc == 0)
		answer(r, QUOTE_OK, quote, size);
	else
		fail(r, QUOTE_FAILED, &e);
}

/* A service that speaks before it has heard all is not heard. */
static void serve_exchange(struct relay *r, short events)
{
	struct relay_exchange *x = &r->exchange;

	if (events == 0)
		return;
	if (x->connecting || x->sent < sizeof(x->out))
		send_request(r);
	else
		receive_answer(r);
}

/* ---- the loop ------------------------------------------------------------------------------ */

/* 1: go on; 0: the end. */
static int take_record(const struct relay *r, bool *open, struct err *e)
{
	struct record record;
	int rc = record_receive(r->control, "launcher", &record, e);

	if (rc <= 0 || record.type == RECORD_STOP)
		return rc < 0 ? rc : 0;
	if (record.type != RECORD_SEAL || *open)
		return err_set(e, EX_INTERNAL, "launcher: unexpected record %u", record.type);
	*open = true;
	rc = record_send(r->control, RECORD_SEALED, 0, 0, e);
	return rc < 0 ? rc : 1;
}

/* How long nothing needs to be done, ms; -1: without end. */
static int patience(const struct relay *r, int64_t now)
{
	int64_t until = r->exchange.fd >= 0 ? r->exchange.deadline : r->not_before;

	if (r->waiting == 0)
		return -1;
	return until <= now ? 0 : (int)(until - now);
}

static void prepare_poll(const struct relay *r, bool open, struct pollfd p[POLL_COUNT])
{
	const struct relay_exchange *x = &r->exchange;
	bool sending = x->connecting || x->sent < sizeof(x->out);

	p[POLL_CONTROL] = (struct pollfd){ .fd = r->control, .events = POLLIN };
	p[POLL_CHANNEL] = (struct pollfd){ .fd = -1, .events = POLLIN };
	if (open && r->waiting < QUOTE_OUTSTANDING_MAX)
		p[POLL_CHANNEL].fd = r->channel;
	p[POLL_SERVICE] = (struct pollfd){ .fd = x->fd, .events = sending ? POLLOUT : POLLIN };
}

/* Time passed: a request may begin, another has waited too long. */
static void advance(struct relay *r)
{
	int64_t now = now_ms();
	struct err e = { 0 };

	if (r->exchange.fd >= 0 && now >= r->exchange.deadline) {
		err_set(&e, EX_HOST, "QGS: no quote after %d s: is it stuck? restart it",
			r->timeout_ms / 1000);
		fail(r, QUOTE_UNAVAILABLE, &e);
	}
	if (r->exchange.fd < 0 && r->waiting > 0 && now >= r->not_before)
		begin(r, now);
}

int relay_serve(struct relay *r, struct err *e)
{
	struct pollfd p[POLL_COUNT];
	bool open = false; /* for requests */
	int rc = 1;

	while (rc > 0) {
		prepare_poll(r, open, p);
		int n = poll(p, POLL_COUNT, patience(r, now_ms()));
		if (n < 0 && errno != EINTR)
			return err_errno(e, EX_HOST, errno, "pavise-quote: cannot wait");
		if (n > 0) {
			serve_exchange(r, p[POLL_SERVICE].revents);
			if (p[POLL_CHANNEL].revents != 0)
				take_request(r);
			if (p[POLL_CONTROL].revents != 0)
				rc = take_record(r, &open, e);
		}
		if (rc > 0)
			advance(r);
	}
	return rc;
}
