#include "sandbox/control.h"

#include "common/fdpass.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

int control_open(const struct rundir *d, struct control *c, struct err *e)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int rc = 0;

	for (int i = 0; i < CONTROL_CLIENT_MAX; i++)
		c->client[i] = -1;
	c->lessee = -1;
	snprintf(a.sun_path, sizeof(a.sun_path), "%.90s/" CONTROL_SOCKET, d->path);
	c->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (c->listener < 0)
		return err_errno(e, EX_HOST, errno, "%s: control socket", d->name);
	/* The folder is 0700 already; the socket says the same for itself. */
	mode_t old = umask(0177);
	if (bind(c->listener, (struct sockaddr *)&a, sizeof(a)) != 0 ||
	    listen(c->listener, CONTROL_CLIENT_MAX) != 0)
		rc = err_errno(e, EX_HOST, errno, "%s: control socket", a.sun_path);
	umask(old);
	if (rc != 0) {
		close(c->listener);
		c->listener = -1;
	}
	return rc;
}

void control_close(struct control *c)
{
	for (int i = 0; i < CONTROL_CLIENT_MAX; i++)
		if (c->client[i] >= 0)
			close(c->client[i]);
	if (c->listener >= 0)
		close(c->listener);
	c->listener = -1;
}

void control_prepare(const struct control *c, struct pollfd *pfd)
{
	pfd[0] = (struct pollfd){ .fd = c->listener, .events = POLLIN };
	for (int i = 0; i < CONTROL_CLIENT_MAX; i++)
		pfd[1 + i] = (struct pollfd){ .fd = c->client[i], .events = POLLIN };
}

/* Only root may start a VM, so only root, or whoever the launcher is in a test, may ask. */
static bool peer_may(int fd)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
	       (peer.uid == 0 || peer.uid == geteuid());
}

static void accept_client(struct control *c)
{
	int fd = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	for (int i = 0; i < CONTROL_CLIENT_MAX && peer_may(fd); i++)
		if (c->client[i] < 0) {
			c->client[i] = fd;
			return;
		}
	close(fd);
}

static void drop_client(struct control *c, int i)
{
	close(c->client[i]);
	c->client[i] = -1;
	if (c->lessee == i)
		c->lessee = -1;
}

static void answer(struct control *c, int i, struct control_record r, int fd)
{
	struct err ignored = { 0 };

	r.magic = CONTROL_MAGIC;
	if (fdpass_send(c->client[i], &r, sizeof(r), &fd, fd >= 0 ? 1 : 0, &ignored) != 0 ||
	    r.type == CONTROL_BAD)
		drop_client(c, i);
}

static void lease(struct control *c, int i, const struct control_view *view)
{
	if (view->phase != CONTROL_RUNNING || view->agent_channel < 0) {
		answer(c, i, (struct control_record){ .type = CONTROL_NOT_READY }, -1);
	} else if (c->lessee >= 0 && c->lessee != i) {
		answer(c, i, (struct control_record){ .type = CONTROL_BUSY }, -1);
	} else {
		c->lessee = i;
		answer(c, i, (struct control_record){ .type = CONTROL_OK }, view->agent_channel);
	}
}

/* One message: the record, then the text. */
static void describe(struct control *c, int i, const struct control_view *view)
{
	struct {
		struct control_record r;
		char text[CONTROL_TEXT_MAX];
	} out = { .r = { .magic = CONTROL_MAGIC, .type = CONTROL_OK } };
	struct err ignored = { 0 };

	out.r.a = (uint32_t)view->describe(view->described, out.text, sizeof(out.text));
	if (out.r.a == 0)
		answer(c, i, (struct control_record){ .type = CONTROL_NOT_READY }, -1);
	else if (fdpass_send(c->client[i], &out, sizeof(out.r) + out.r.a, NULL, 0, &ignored) != 0)
		drop_client(c, i);
}

/* One request. True: stop. */
static bool serve_client(struct control *c, int i, const struct control_view *view)
{
	struct {
		struct control_record r;
		char excess;
	} in;
	/* recv, never recvmsg: descriptors a client attaches are dropped by the kernel. */
	ssize_t n = recv(c->client[i], &in, sizeof(in.r) + 1, 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		drop_client(c, i);
		return false;
	}
	if ((size_t)n != sizeof(in.r) || in.r.magic != CONTROL_MAGIC || in.r.a != 0 || in.r.b != 0)
		in.r.type = 0;
	switch (in.r.type) {
	case CONTROL_ATTEST_CHANNEL:
		lease(c, i, view);
		return false;
	case CONTROL_STOP:
		answer(c, i, (struct control_record){ .type = CONTROL_OK }, -1);
		return true;
	case CONTROL_STATUS:
		answer(c, i, (struct control_record){ .type = CONTROL_OK, .a = view->phase,
						      .b = CONTROL_ISOLATION(view->isolation,
									     view->missing) },
		       -1);
		return false;
	case CONTROL_DESCRIBE:
		describe(c, i, view);
		return false;
	default:
		answer(c, i, (struct control_record){ .type = CONTROL_BAD }, -1);
		return false;
	}
}

bool control_serve(struct control *c, const struct pollfd *pfd, const struct control_view *view)
{
	bool stop = false;

	for (int i = 0; i < CONTROL_CLIENT_MAX; i++)
		if (pfd[1 + i].revents != 0 && c->client[i] == pfd[1 + i].fd &&
		    serve_client(c, i, view))
			stop = true;
	if (pfd[0].revents != 0)
		accept_client(c);
	return stop;
}
