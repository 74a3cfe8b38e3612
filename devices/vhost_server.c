#include "devices/vhost_server.h"

#include "common/bytes.h"
#include "common/fdpass.h"
#include "devices/vhost_requests.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

int vhost_set_nonblock(int fd, struct err *e)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return err_errno(e, EX_HOST, errno, "vhost-user: cannot set up a descriptor");
	return 0;
}

int vhost_server_init(struct vhost_server *s, int fd, const struct vhost_offer *offer,
		      struct devlog *log, struct err *e)
{
	memset(s, 0, sizeof(*s));
	s->fd = fd;
	s->offer = *offer;
	s->log = log;
	if (offer->queue_count > VHOST_QUEUES_MAX || offer->config_size > VHOST_CONFIG_MAX)
		return err_set(e, EX_INTERNAL, "vhost-user: offer out of range");
	for (unsigned i = 0; i < VHOST_QUEUES_MAX; i++)
		vq_init(&s->queue[i], i, &s->mem, log);
	return vhost_set_nonblock(fd, e);
}

static void drop_fds(struct vhost_server *s)
{
	for (size_t i = 0; i < s->fd_count; i++)
		if (s->fds[i] >= 0)
			close(s->fds[i]);
	s->fd_count = 0;
}

void vhost_server_close(struct vhost_server *s)
{
	drop_fds(s);
	guest_memory_unmap(&s->mem);
	for (unsigned i = 0; i < VHOST_QUEUES_MAX; i++) {
		struct virtqueue *q = &s->queue[i];

		if (q->kick >= 0)
			close(q->kick);
		if (q->call >= 0)
			close(q->call);
		if (q->err >= 0)
			close(q->err);
		vq_init(q, i, &s->mem, s->log);
	}
}

int vhost_reply(struct vhost_server *s, uint32_t request, const void *payload, uint32_t size,
		      struct err *e)
{
	uint8_t out[VHOST_HEADER_SIZE + VHOST_PAYLOAD_MAX];
	struct writer w = writer_over(out, sizeof(out));

	write_le32(&w, request);
	write_le32(&w, VHOST_VERSION | VHOST_FLAG_REPLY);
	write_le32(&w, size);
	write_copy(&w, payload, size);
	if (w.bad)
		return err_set(e, EX_INTERNAL, "vhost-user: reply too long");
	ssize_t n = write(s->fd, out, w.pos);
	if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
		return VHOST_REPLIED; /* the next read sees the end */
	if (n < 0)
		return err_errno(e, EX_MALFORMED, errno, "vhost-user: front end takes no reply");
	if ((size_t)n != w.pos)
		return err_set(e, EX_MALFORMED, "vhost-user: front end takes no reply");
	return VHOST_REPLIED;
}

int vhost_reply_u64(struct vhost_server *s, uint32_t request, uint64_t value, struct err *e)
{
	uint8_t payload[VHOST_U64_SIZE];
	struct writer w = writer_over(payload, sizeof(payload));

	write_le64(&w, value);
	return vhost_reply(s, request, payload, sizeof(payload), e);
}

static int handle_message(struct vhost_server *s, const struct vhost_message *m, struct err *e)
{
	bool need_reply = (m->flags & VHOST_FLAG_NEED_REPLY) != 0;

	if (need_reply && (s->protocol_features & VHOST_PROTOCOL_REPLY_ACK) == 0)
		return err_set(e, EX_MALFORMED,
			       "vhost-user: acknowledgement wanted but not negotiated");
	int rc = vhost_request(s, m, e);
	if (rc < 0)
		return rc;
	if (rc == VHOST_REFUSED && !need_reply)
		return err_set(e, EX_MALFORMED, "vhost-user: request %u is not possible here",
			       m->request);
	/* set_protocol_features may just have turned acknowledgements on: then the message
	 * itself could not ask for one yet. */
	if (need_reply && rc != VHOST_REPLIED)
		rc = vhost_reply_u64(s, m->request, rc == VHOST_DONE ? 0 : 1, e);
	return rc < 0 ? rc : 1;
}

static struct vhost_message header_of(const struct vhost_server *s)
{
	struct reader r = reader_over(s->message, VHOST_HEADER_SIZE);
	struct vhost_message m = { .payload = s->message + VHOST_HEADER_SIZE };

	m.request = read_le32(&r);
	m.flags = read_le32(&r);
	m.size = read_le32(&r);
	return m;
}

/* Up to `want` bytes of the current message, with descriptors while not sealed. As
 * vhost_server_input; 2: nothing there now. */
static int receive(struct vhost_server *s, size_t want, struct err *e)
{
	uint8_t *to = s->message + s->have;
	size_t got = 0, got_fds = 0;

	if (!s->sealed) {
		int rc = fdpass_receive(s->fd, to, want, &got, s->fds + s->fd_count,
					VHOST_REGIONS_MAX - s->fd_count, &got_fds, e);
		if (rc < 0)
			return rc;
		s->fd_count += got_fds;
	} else {
		ssize_t n = read(s->fd, to, want);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return 2;
		if (n < 0 && errno != ECONNRESET)
			return err_errno(e, EX_HOST, errno, "vhost-user: cannot read");
		got = n < 0 ? 0 : (size_t)n;
	}
	s->have += got;
	return got == 0 ? 0 : 1;
}

int vhost_server_input(struct vhost_server *s, struct err *e)
{
	size_t want = VHOST_HEADER_SIZE;

	if (s->have >= VHOST_HEADER_SIZE)
		want += header_of(s).size;
	int rc = receive(s, want - s->have, e);
	if (rc == 2)
		return 1;
	if (rc <= 0)
		return rc;
	if (s->have < VHOST_HEADER_SIZE)
		return 1;
	/* Checked at the latest when the header is complete, before `size` bounds anything. */
	struct vhost_message m = header_of(s);
	if ((m.flags & ~VHOST_FLAG_NEED_REPLY) != VHOST_VERSION || m.size > VHOST_PAYLOAD_MAX) {
		drop_fds(s);
		return err_set(e, EX_MALFORMED, "vhost-user: header with flags %#x, size %u",
			       m.flags, m.size);
	}
	if (s->have < VHOST_HEADER_SIZE + m.size)
		return 1;
	s->have = 0;
	rc = handle_message(s, &m, e);
	drop_fds(s);
	return rc;
}

int vhost_server_complete(const struct vhost_server *s, struct err *e)
{
	if (s->mem.count == 0)
		return err_set(e, EX_INTERNAL, "vhost-user: sealed without a memory table");
	for (unsigned i = 0; i < s->offer.queue_count; i++)
		if (s->queue[i].kick < 0 || s->queue[i].call < 0)
			return err_set(e, EX_INTERNAL,
				       "vhost-user: sealed without the eventfds of queue %u", i);
	return 0;
}
