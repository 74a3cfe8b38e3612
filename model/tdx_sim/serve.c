#include "model/tdx_sim/serve.h"

#include "common/record.h"
#include "model/tdx_sim/qgs.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Large; one process, one thread. */
static uint8_t question[sizeof(struct tdx_header) + TDX_WIRE_PAYLOAD_MAX];
static uint8_t answer[sizeof(struct tdx_header) + TDX_WIRE_PAYLOAD_MAX];
static uint8_t quote[TDX_QGS_ANSWER_MAX];

/* The one connection to the quote generation service. */
struct client {
	int fd; /* -1: none */
	uint8_t request[TDX_QGS_REQUEST_SIZE];
	size_t have;
};

/* 1: answered; 0: the model closed. */
static int take_message(struct tdx_sim *sim, int fd, struct err *e)
{
	size_t size = 0;
	ssize_t n;

	/* recvfrom delivers no descriptor. MSG_TRUNC: the true length of one too long. */
	do
		n = recv(fd, question, sizeof(question), MSG_TRUNC);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno != ECONNRESET)
		return err_errno(e, EX_INTERNAL, errno, "tdx: connection");
	if (n <= 0)
		return 0;
	if ((size_t)n > sizeof(question))
		return err_set(e, EX_MALFORMED, "tdx: message of %zd bytes, at most %zu are "
			       "allowed", n, sizeof(question));
	int rc = tdx_sim_handle(sim, question, (size_t)n, answer, &size, e);
	/* Plaintext of guest pages: not kept. */
	OPENSSL_cleanse(question, (size_t)n);
	if (rc != 0)
		return rc;
	do
		n = send(fd, answer, size, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EPIPE)
		return 0;
	return n == (ssize_t)size ? 1 : err_errno(e, EX_INTERNAL, errno, "tdx: answer");
}

static void drop(struct client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	c->have = 0;
}

static void take_client(struct client *c, int listener)
{
	c->have = 0;
	c->fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

/* A whole request gets its answer, and either way the connection ends with it. */
static void take_request(struct client *c, const struct tdx_sim *sim)
{
	ssize_t n = recv(c->fd, c->request + c->have, sizeof(c->request) - c->have, 0);
	size_t size = 0;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		drop(c);
		return;
	}
	c->have += (size_t)n;
	int want = tdx_qgs_request_size(c->request, c->have);
	if (want == 0 || (want > 0 && c->have < (size_t)want))
		return;
	if (want > 0) {
		tdx_qgs_answer(sim, c->request, c->have, quote, &size);
		/* Fits the socket's buffer; a peer that does not read loses the rest. */
		(void)send(c->fd, quote, size, MSG_NOSIGNAL);
	}
	drop(c);
}

/* 1: go on; 0: the end. */
static int take_record(const struct tdx_serve *s, struct err *e)
{
	struct record r;
	int rc = record_receive(s->control, "launcher", &r, e);

	if (rc <= 0 || r.type == RECORD_STOP)
		return rc < 0 ? rc : 0;
	if (r.type != RECORD_SEAL)
		return err_set(e, EX_INTERNAL, "launcher: unexpected record %u", r.type);
	rc = record_send(s->control, RECORD_SEALED, 0, 0, e);
	return rc < 0 ? rc : 1;
}

int tdx_serve(const struct tdx_serve *s, struct err *e)
{
	enum { CONTROL, MODEL, QGS };
	struct pollfd wait[] = { [CONTROL] = { .fd = s->control, .events = POLLIN },
				 [MODEL] = { .fd = s->psp, .events = POLLIN },
				 [QGS] = { .events = POLLIN } };
	struct client client = { .fd = -1 };
	int rc = 1;

	while (rc > 0) {
		wait[QGS].fd = client.fd >= 0 ? client.fd : s->listener;
		int n = poll(wait, 3, client.fd >= 0 ? QGS_WAIT_MS : -1);
		if (n < 0 && errno != EINTR)
			rc = err_errno(e, EX_HOST, errno, "tdx: cannot wait");
		if (n == 0)
			drop(&client);
		if (n > 0 && wait[MODEL].revents != 0) {
			rc = take_message(s->sim, s->psp, e);
			/* Without its VMM there is nothing to do; the launcher says when to end. */
			if (rc == 0 && s->control >= 0) {
				wait[MODEL].fd = -1;
				rc = 1;
			}
		} else if (n > 0 && wait[CONTROL].revents != 0) {
			rc = take_record(s, e);
		} else if (n > 0 && client.fd >= 0) {
			take_request(&client, s->sim);
		} else if (n > 0) {
			take_client(&client, s->listener);
		}
	}
	drop(&client);
	return rc;
}
