#include "common/fdpass.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union fd_control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int) * FDPASS_MAX)];
};

int fdpass_send(int sock, const void *data, size_t size, const int *fds, size_t count,
		struct err *e)
{
	union fd_control control;
	struct iovec iov = { .iov_base = (void *)data, .iov_len = size };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (count > FDPASS_MAX || size == 0)
		return err_set(e, EX_INTERNAL,
			       "descriptor message: %zu descriptors, %zu bytes: out of range",
			       count, size);
	if (count > 0) {
		memset(&control, 0, sizeof(control));
		msg.msg_control = control.bytes;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * count);
		struct cmsghdr *c = &control.align; /* the first and only one */
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * count);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * count);
	}
	ssize_t n;
	do
		n = sendmsg(sock, &msg, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_errno(e, EX_INTERNAL, errno, "descriptor message: cannot send");
	if ((size_t)n != size)
		return err_set(e, EX_INTERNAL, "descriptor message: sent %zd of %zu bytes", n,
			       size);
	return 0;
}

/* Collects every descriptor of the message, also those beyond max, so that none leaks. */
static int take_fds(struct msghdr *msg, int *fds, size_t max, size_t *got)
{
	int refused = (msg->msg_flags & (MSG_CTRUNC | MSG_TRUNC)) != 0;

	*got = 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) {
			refused = 1;
			continue;
		}
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			if (*got < max)
				fds[(*got)++] = fd;
			else {
				close(fd);
				refused = 1;
			}
		}
	}
	for (size_t i = 0; refused && i < *got; i++)
		close(fds[i]);
	if (refused)
		*got = 0;
	return refused ? -1 : 0;
}

int fdpass_receive(int sock, void *data, size_t size, size_t *got_size, int *fds, size_t max,
		   size_t *got_fds, struct err *e)
{
	union fd_control control;
	struct iovec iov = { .iov_base = data, .iov_len = size };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.bytes,
			      .msg_controllen = sizeof(control.bytes) };
	ssize_t n;

	do
		n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_errno(e, EX_INTERNAL, errno, "descriptor message: cannot receive");
	if (take_fds(&msg, fds, max, got_fds) < 0)
		return err_set(e, EX_INTERNAL,
			       "descriptor message: truncated, too many descriptors, or one "
			       "refused by label");
	*got_size = (size_t)n;
	return 0;
}
