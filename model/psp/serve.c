#include "model/psp/serve.h"

#include "common/record.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

/* Large; one process, one thread. */
static uint8_t question[sizeof(struct psp_header) + PSP_PAYLOAD_MAX];
static uint8_t answer[sizeof(struct psp_header) + PSP_PAYLOAD_MAX];

int serve_message(struct psp *p, int fd, struct err *e)
{
	size_t size = 0;
	ssize_t n;

	/* recvfrom delivers no descriptor. MSG_TRUNC: the true length of one too long. */
	do
		n = recv(fd, question, sizeof(question), MSG_TRUNC);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno != ECONNRESET)
		return err_errno(e, EX_INTERNAL, errno, "psp: connection");
	if (n <= 0)
		return 0;
	if ((size_t)n > sizeof(question))
		return err_set(e, EX_MALFORMED, "psp: message of %zd bytes, at most %zu are "
			       "allowed", n, sizeof(question));
	int rc = psp_handle(p, question, (size_t)n, answer, &size, e);
	/* Plaintext of guest pages and keys: not kept. */
	OPENSSL_cleanse(question, (size_t)n);
	if (rc != 0)
		return rc;
	do
		n = send(fd, answer, size, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	OPENSSL_cleanse(answer, size);
	if (n < 0 && errno == EPIPE)
		return 0;
	return n == (ssize_t)size ? 1 : err_errno(e, EX_INTERNAL, errno, "psp: answer");
}

/* 1: go on; 0: the end. */
static int take_record(int control, struct err *e)
{
	struct record r;
	int rc = record_receive(control, "launcher", &r, e);

	if (rc <= 0 || r.type == RECORD_STOP)
		return rc < 0 ? rc : 0;
	if (r.type != RECORD_SEAL)
		return err_set(e, EX_INTERNAL, "launcher: unexpected record %u", r.type);
	rc = record_send(control, RECORD_SEALED, 0, 0, e);
	return rc < 0 ? rc : 1;
}

int serve(struct psp *p, int fd, int control, struct err *e)
{
	struct pollfd wait[2] = { { .fd = control, .events = POLLIN },
				  { .fd = fd, .events = POLLIN } };
	int rc = 1;

	while (rc > 0) {
		int n = poll(wait, 2, -1);
		if (n < 0 && errno != EINTR)
			return err_errno(e, EX_HOST, errno, "psp: cannot wait");
		if (n > 0 && wait[1].revents != 0) {
			rc = serve_message(p, fd, e);
			/* Without its VMM there is nothing to do; the launcher says when to end. */
			if (rc == 0 && control >= 0) {
				wait[1].fd = -1;
				rc = 1;
			}
		} else if (n > 0 && wait[0].revents != 0) {
			rc = take_record(control, e);
		}
	}
	return rc;
}
