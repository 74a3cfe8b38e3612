#include "cli/control_client.h"

#include "common/fdpass.h"
#include "sandbox/names.h"
#include "sandbox/rundir.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define ANSWER_SECONDS 60

int control_connect(const char *run_dir, const char *name, int *fd, struct err *e)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct timeval limit = { .tv_sec = ANSWER_SECONDS };
	int rc = name_check(name, e);

	if (rc != 0)
		return rc;
	int n = snprintf(a.sun_path, sizeof(a.sun_path), "%s/%s/" CONTROL_SOCKET,
			 run_dir == NULL ? RUN_DIR : run_dir, name);
	if (n < 0 || (size_t)n >= sizeof(a.sun_path))
		return err_set(e, EX_USAGE_ERROR, "%s: path too long", run_dir);
	*fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (*fd < 0)
		return err_errno(e, EX_HOST, errno, "socket");
	if (connect(*fd, (struct sockaddr *)&a, sizeof(a)) == 0) {
		setsockopt(*fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
		return 0;
	}
	if (errno == ENOENT || errno == ECONNREFUSED)
		rc = err_set(e, EX_BUSY, "%s: no such VM runs: see %s", name,
			     run_dir == NULL ? RUN_DIR : run_dir);
	else
		rc = err_errno(e, EX_HOST, errno, "%s: cannot reach its launcher (root may)", name);
	close(*fd);
	*fd = -1;
	return rc;
}

static int judge(const struct control_record *r, size_t size, struct err *e)
{
	if (size == 0)
		return err_set(e, EX_BUSY, "the launcher closed the connection: the VM ended");
	if (size != sizeof(*r) || r->magic != CONTROL_MAGIC)
		return err_set(e, EX_INTERNAL, "the launcher's answer is malformed: versions "
			       "differ");
	switch (r->type) {
	case CONTROL_OK:
		return 0;
	case CONTROL_BUSY:
		return err_set(e, EX_BUSY, "the agent channel is in use: try again later");
	case CONTROL_NOT_READY:
		return err_set(e, EX_BUSY, "the guest does not run yet: try again later");
	default:
		return err_set(e, EX_INTERNAL, "the launcher refused the request: versions differ");
	}
}

int control_ask(int fd, enum control_type type, struct control_record *answer, int *passed,
		struct err *e)
{
	struct control_record request = { .magic = CONTROL_MAGIC, .type = type };
	size_t size = 0, count = 0;
	int got = -1;

	if (passed != NULL)
		*passed = -1;
	int rc = fdpass_send(fd, &request, sizeof(request), NULL, 0, e);
	if (rc == 0)
		rc = fdpass_receive(fd, answer, sizeof(*answer), &size, &got, 1, &count, e);
	if (rc == 0)
		rc = judge(answer, size, e);
	if (rc == 0 && (count == 1) != (passed != NULL))
		rc = err_set(e, EX_INTERNAL, "the launcher passed %zu descriptors: versions differ",
			     count);
	if (rc == 0 && passed != NULL)
		*passed = got;
	else if (count == 1)
		close(got);
	return rc;
}

void control_isolation(const struct control_record *answer, bool *degraded, unsigned *missing)
{
	*missing = CONTROL_ISOLATION_MISSING(answer->b);
	*degraded = CONTROL_ISOLATION_KIND(answer->b) != CONTROL_REQUIRED || *missing != 0;
}

int control_describe(int fd, unsigned seconds, char *text, size_t *size, struct err *e)
{
	const struct control_record request = { .magic = CONTROL_MAGIC, .type = CONTROL_DESCRIBE };
	struct timeval limit = { .tv_sec = seconds };
	struct control_record answer = { 0 };
	struct iovec parts[] = { { &answer, sizeof(answer) }, { text, CONTROL_TEXT_MAX } };
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	int rc = fdpass_send(fd, &request, sizeof(request), NULL, 0, e);
	if (rc != 0)
		return rc;
	/* No room for descriptors: the kernel drops what would come with it. */
	ssize_t n = recvmsg(fd, &message, 0);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return err_set(e, EX_BUSY, "its launcher has not answered for %u s: try again "
			       "later", seconds);
	if (n < 0)
		return err_errno(e, EX_HOST, errno, "its launcher's answer");
	rc = judge(&answer, n < (ssize_t)sizeof(answer) ? (size_t)n : sizeof(answer), e);
	if (rc != 0)
		return rc;
	*size = (size_t)n - sizeof(answer);
	if ((message.msg_flags & MSG_TRUNC) != 0 || *size != answer.a || answer.b != 0)
		return err_set(e, EX_MALFORMED, "the launcher's description is of another size "
			       "than it says: versions differ");
	return 0;
}

int control_await_close(int fd, unsigned seconds, struct err *e)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char byte;

	int n = poll(&p, 1, (int)(seconds * 1000));
	if (n > 0 && recv(fd, &byte, 1, MSG_DONTWAIT) <= 0)
		return 0;
	return err_set(e, EX_HOST, "the VM has not ended after %u s: look at its launcher",
		       seconds);
}
