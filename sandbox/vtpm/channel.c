#include "sandbox/vtpm/channel.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t channel_deadline(int timeout_ms)
{
	return now_ms() + timeout_ms;
}

static int wait_ready(int fd, const char *what, short events, int64_t deadline, struct err *e)
{
	struct pollfd p = { .fd = fd, .events = events };

	for (;;) {
		int64_t left = deadline - now_ms();
		int n = poll(&p, 1, left <= 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left);

		if (n > 0)
			return 0;
		if (n == 0 && left <= 0)
			return err_set(e, EX_HOST, "vtpm: %s: swtpm does not answer in time", what);
		if (n < 0 && errno != EINTR)
			return err_errno(e, EX_HOST, errno, "vtpm: %s", what);
	}
}

/* MSG_DONTWAIT instead of O_NONBLOCK: the descriptor's flags are shared with whoever gets the
 * socket next. */
int channel_send(int fd, const char *what, const void *data, size_t size, int64_t deadline,
		 struct err *e)
{
	const char *p = data;

	while (size > 0) {
		ssize_t n = send(fd, p, size, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n > 0) {
			p += n;
			size -= (size_t)n;
		} else if (n < 0 && errno == EAGAIN) {
			int rc = wait_ready(fd, what, POLLOUT, deadline, e);

			if (rc < 0)
				return rc;
		} else if (n == 0 || errno != EINTR) {
			return err_errno(e, EX_HOST, errno, "vtpm: %s: cannot send to swtpm", what);
		}
	}
	return 0;
}

int channel_receive(int fd, const char *what, void *data, size_t size, int64_t deadline,
		    struct err *e)
{
	char *p = data;

	while (size > 0) {
		ssize_t n = recv(fd, p, size, MSG_DONTWAIT);

		if (n > 0) {
			p += n;
			size -= (size_t)n;
		} else if (n == 0) {
			return err_set(e, EX_HOST, "vtpm: %s: swtpm closed the connection: see its "
				       "log", what);
		} else if (errno == EAGAIN) {
			int rc = wait_ready(fd, what, POLLIN, deadline, e);

			if (rc < 0)
				return rc;
		} else if (errno != EINTR) {
			return err_errno(e, EX_HOST, errno, "vtpm: %s: cannot receive from swtpm",
					 what);
		}
	}
	return 0;
}

int channel_quiet(int fd, const char *what, struct err *e)
{
	char byte;
	ssize_t n = recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK);

	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n < 0)
		return err_errno(e, EX_HOST, errno, "vtpm: %s", what);
	return err_set(e, EX_HOST, "vtpm: %s: swtpm %s", what,
		       n == 0 ? "closed the connection: see its log"
			      : "sent bytes nobody asked for");
}
