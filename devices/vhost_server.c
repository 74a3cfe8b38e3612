#include "devices/vhost_server.h"

#include "common/bytes.h"
#include "common/fdpass.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define OWN_PROTOCOL (VHOST_PROTOCOL_MQ | VHOST_PROTOCOL_REPLY_ACK | VHOST_PROTOCOL_CONFIG)

/* What a handler answers; negative values are fatal (-EX_*). */
enum outcome {
	DONE = 0,    /* acknowledged with 0 if asked */
	REPLIED = 1, /* the handler sent the reply itself */
	REFUSED = 2, /* acknowledged with 1 if asked, else fatal */
	GUEST = 3,   /* a guest's bad value: acknowledged with 1 if asked, never fatal */
};

struct message {
	uint32_t request, flags, size;
	const uint8_t *payload;
};

static uint64_t own_features(const struct vhost_server *s)
{
	return s->offer.features | VIRTIO_F_VERSION_1 | VHOST_F_PROTOCOL_FEATURES;
}

static int set_nonblock(int fd, struct err *e)
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
	return set_nonblock(fd, e);
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

static int send_reply(struct vhost_server *s, uint32_t request, const void *payload, uint32_t size,
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
		return REPLIED; /* the next read sees the end */
	if (n < 0)
		return err_errno(e, EX_MALFORMED, errno, "vhost-user: front end takes no reply");
	if ((size_t)n != w.pos)
		return err_set(e, EX_MALFORMED, "vhost-user: front end takes no reply");
	return REPLIED;
}

static int reply_u64(struct vhost_server *s, uint32_t request, uint64_t value, struct err *e)
{
	uint8_t payload[VHOST_U64_SIZE];
	struct writer w = writer_over(payload, sizeof(payload));

	write_le64(&w, value);
	return send_reply(s, request, payload, sizeof(payload), e);
}

static uint64_t payload_u64(const struct message *m)
{
	struct reader r = reader_over(m->payload, m->size);

	return read_le64(&r);
}

/* NULL: there is no such queue (-EX_MALFORMED, *e filled). */
static struct virtqueue *find_queue(struct vhost_server *s, uint64_t index, struct err *e)
{
	if (index < s->offer.queue_count)
		return &s->queue[index];
	err_set(e, EX_MALFORMED, "vhost-user: queue %llu of %u", (unsigned long long)index,
		s->offer.queue_count);
	return NULL;
}

static int get_features(struct vhost_server *s, const struct message *m, struct err *e)
{
	return reply_u64(s, m->request, own_features(s), e);
}

static int set_features(struct vhost_server *s, const struct message *m, struct err *e)
{
	uint64_t wanted = payload_u64(m);

	(void)e;
	if ((wanted & ~own_features(s)) != 0)
		return GUEST;
	s->features = wanted;
	return DONE;
}

static int set_owner(struct vhost_server *s, const struct message *m, struct err *e)
{
	(void)s;
	(void)m;
	(void)e;
	return DONE;
}

static int get_protocol_features(struct vhost_server *s, const struct message *m, struct err *e)
{
	return reply_u64(s, m->request, OWN_PROTOCOL, e);
}

static int set_protocol_features(struct vhost_server *s, const struct message *m, struct err *e)
{
	uint64_t wanted = payload_u64(m);

	(void)e;
	if ((wanted & ~OWN_PROTOCOL) != 0)
		return REFUSED;
	s->protocol_features = wanted;
	return DONE;
}

static int get_queue_num(struct vhost_server *s, const struct message *m, struct err *e)
{
	return reply_u64(s, m->request, s->offer.queue_count, e);
}

/* The old table goes first: ring addresses of the old one mean nothing in the new. */
static int set_mem_table(struct vhost_server *s, const struct message *m, struct err *e)
{
	struct reader r = reader_over(m->payload, m->size);
	uint32_t count = read_le32(&r);

	for (unsigned i = 0; i < s->offer.queue_count; i++)
		vq_stop(&s->queue[i]);
	guest_memory_unmap(&s->mem);
	read_le32(&r);
	for (uint32_t i = 0; i < count; i++) {
		uint64_t gpa = read_le64(&r);
		uint64_t size = read_le64(&r);
		uint64_t user = read_le64(&r);
		uint64_t offset = read_le64(&r);
		int rc = guest_memory_map(&s->mem, gpa, size, user, s->fds[i], offset, e);

		if (rc < 0) {
			guest_memory_unmap(&s->mem);
			return rc;
		}
	}
	return DONE;
}

static int set_vring_num(struct vhost_server *s, const struct message *m, struct err *e)
{
	struct reader r = reader_over(m->payload, m->size);
	struct virtqueue *q = find_queue(s, read_le32(&r), e);
	uint32_t num = read_le32(&r);

	if (q == NULL)
		return -EX_MALFORMED;
	/* The rings were checked for their old size: a new one needs a stopped queue. */
	if (q->configured || num == 0 || num > VQ_SIZE_MAX || (num & (num - 1)) != 0)
		return GUEST;
	q->size = num;
	return DONE;
}

static int set_vring_base(struct vhost_server *s, const struct message *m, struct err *e)
{
	struct reader r = reader_over(m->payload, m->size);
	struct virtqueue *q = find_queue(s, read_le32(&r), e);
	uint32_t base = read_le32(&r);

	if (q == NULL)
		return -EX_MALFORMED;
	if (q->configured || base > UINT16_MAX)
		return GUEST;
	q->next = (uint16_t)base;
	return DONE;
}

static int set_vring_addr(struct vhost_server *s, const struct message *m, struct err *e)
{
	struct reader r = reader_over(m->payload, m->size);
	struct virtqueue *q = find_queue(s, read_le32(&r), e);
	uint32_t flags = read_le32(&r);
	uint64_t user[3] = { 0 }, gpa[3] = { 0 };
	bool found = true;

	if (q == NULL)
		return -EX_MALFORMED;
	for (unsigned i = 0; i < 3; i++)
		user[i] = read_le64(&r);
	if (flags != 0) /* logging for migration was not offered */
		return REFUSED;
	/* One byte here; vq_configure checks whole rings. Payload order: desc, used, avail. */
	for (unsigned i = 0; i < 3; i++)
		found = guest_memory_translate(&s->mem, user[i], 1, &gpa[i]) && found;
	if (!found || (s->features & VIRTIO_F_VERSION_1) == 0 ||
	    !vq_configure(q, gpa[0], gpa[2], gpa[1])) {
		q->configured = false;
		vq_break(q, "ring addresses, size or features unusable");
		return GUEST;
	}
	/* Without VHOST_F_PROTOCOL_FEATURES a ring starts enabled ("Ring states"). */
	if ((s->features & VHOST_F_PROTOCOL_FEATURES) == 0)
		q->enabled = true;
	return DONE;
}

static int get_vring_base(struct vhost_server *s, const struct message *m, struct err *e)
{
	struct reader r = reader_over(m->payload, m->size);
	uint8_t payload[VHOST_STATE_SIZE];
	struct writer w = writer_over(payload, sizeof(payload));
	uint32_t index = read_le32(&r);
	struct virtqueue *q = find_queue(s, index, e);

	if (q == NULL)
		return -EX_MALFORMED;
	vq_stop(q);
	write_le32(&w, index);
	write_le32(&w, q->next);
	return send_reply(s, m->request, payload, sizeof(payload), e);
}

static int set_vring_enable(struct vhost_server *s, const struct message *m, struct err *e)
{
	struct reader r = reader_over(m->payload, m->size);
	struct virtqueue *q = find_queue(s, read_le32(&r), e);
	uint32_t on = read_le32(&r);

	if (q == NULL)
		return -EX_MALFORMED;
	if (on > 1)
		return err_set(e, EX_MALFORMED, "vhost-user: SET_VRING_ENABLE %u", on);
	q->enabled = on == 1;
	return DONE;
}

/* KICK, CALL, ERR: the one descriptor becomes the queue's. */
static int set_vring_fd(struct vhost_server *s, const struct message *m, struct err *e)
{
	uint64_t value = payload_u64(m);
	struct virtqueue *q = find_queue(s, value & VHOST_VRING_INDEX_MASK, e);

	if (q == NULL)
		return -EX_MALFORMED;
	if ((value & ~VHOST_VRING_INDEX_MASK) != 0)
		return err_set(e, EX_MALFORMED,
			       "vhost-user: a queue without eventfd, or unknown bits");
	int rc = set_nonblock(s->fds[0], e);
	if (rc < 0)
		return rc;
	int *slot = m->request == VHOST_SET_VRING_KICK   ? &q->kick
		    : m->request == VHOST_SET_VRING_CALL ? &q->call
							 : &q->err;
	if (*slot >= 0)
		close(*slot);
	*slot = s->fds[0];
	s->fds[0] = -1; /* taken */
	return DONE;
}

/* Out-of-range requests are answered with an empty region, as the protocol has it. */
static int get_config(struct vhost_server *s, const struct message *m, struct err *e)
{
	struct reader r = reader_over(m->payload, m->size);
	uint8_t payload[VHOST_PAYLOAD_MAX];
	struct writer w = writer_over(payload, sizeof(payload));
	uint32_t offset = read_le32(&r);
	uint32_t size = read_le32(&r);
	uint32_t flags = read_le32(&r);

	if (size != m->size - VHOST_CONFIG_HEADER)
		return err_set(e, EX_MALFORMED, "vhost-user: GET_CONFIG: size and payload differ");
	if (offset > s->offer.config_size || size > s->offer.config_size - offset)
		size = 0;
	write_le32(&w, offset);
	write_le32(&w, size);
	write_le32(&w, flags);
	if (size > 0)
		write_copy(&w, s->offer.config + offset, size);
	return send_reply(s, m->request, payload, (uint32_t)w.pos, e);
}

typedef int handler_fn(struct vhost_server *s, const struct message *m, struct err *e);

/* min..max: payload bytes. fds: descriptors that come with it; a request with any is refused
 * once sealed. The memory table has as many as regions: checked apart. */
#define FDS_TABLE UINT32_MAX
struct request_rule {
	uint32_t request, min, max, fds;
	handler_fn *handle;
};

static const struct request_rule rules[] = {
	{ VHOST_GET_FEATURES, 0, 0, 0, get_features },
	{ VHOST_SET_FEATURES, VHOST_U64_SIZE, VHOST_U64_SIZE, 0, set_features },
	{ VHOST_SET_OWNER, 0, 0, 0, set_owner },
	{ VHOST_SET_MEM_TABLE, VHOST_TABLE_HEADER + VHOST_REGION_SIZE,
	  VHOST_TABLE_HEADER + VHOST_REGIONS_MAX * VHOST_REGION_SIZE, FDS_TABLE, set_mem_table },
	{ VHOST_SET_VRING_NUM, VHOST_STATE_SIZE, VHOST_STATE_SIZE, 0, set_vring_num },
	{ VHOST_SET_VRING_ADDR, VHOST_ADDR_SIZE, VHOST_ADDR_SIZE, 0, set_vring_addr },
	{ VHOST_SET_VRING_BASE, VHOST_STATE_SIZE, VHOST_STATE_SIZE, 0, set_vring_base },
	{ VHOST_GET_VRING_BASE, VHOST_STATE_SIZE, VHOST_STATE_SIZE, 0, get_vring_base },
	{ VHOST_SET_VRING_KICK, VHOST_U64_SIZE, VHOST_U64_SIZE, 1, set_vring_fd },
	{ VHOST_SET_VRING_CALL, VHOST_U64_SIZE, VHOST_U64_SIZE, 1, set_vring_fd },
	{ VHOST_SET_VRING_ERR, VHOST_U64_SIZE, VHOST_U64_SIZE, 1, set_vring_fd },
	{ VHOST_GET_PROTOCOL_FEATURES, 0, 0, 0, get_protocol_features },
	{ VHOST_SET_PROTOCOL_FEATURES, VHOST_U64_SIZE, VHOST_U64_SIZE, 0, set_protocol_features },
	{ VHOST_GET_QUEUE_NUM, 0, 0, 0, get_queue_num },
	{ VHOST_SET_VRING_ENABLE, VHOST_STATE_SIZE, VHOST_STATE_SIZE, 0, set_vring_enable },
	{ VHOST_GET_CONFIG, VHOST_CONFIG_HEADER, VHOST_CONFIG_HEADER + VHOST_CONFIG_MAX, 0,
	  get_config },
};

static const struct request_rule *find_rule(uint32_t request)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (rules[i].request == request)
			return &rules[i];
	return NULL;
}

/* Size and descriptors against the rule. */
static int check_form(const struct vhost_server *s, const struct request_rule *rule,
		      const struct message *m, struct err *e)
{
	size_t fds = rule->fds;

	if (m->size < rule->min || m->size > rule->max)
		return err_set(e, EX_MALFORMED, "vhost-user: request %u with %u bytes", m->request,
			       m->size);
	if (rule->fds == FDS_TABLE) {
		struct reader r = reader_over(m->payload, m->size);

		fds = read_le32(&r);
		if (m->size != VHOST_TABLE_HEADER + (uint64_t)fds * VHOST_REGION_SIZE)
			return err_set(e, EX_MALFORMED, "vhost-user: memory table of %zu regions "
				       "in %u bytes", fds, m->size);
	}
	/* Sealed: read() dropped what came along; requests that need some are refused later. */
	if (!s->sealed && fds != s->fd_count)
		return err_set(e, EX_MALFORMED, "vhost-user: request %u with %zu descriptors, "
			       "expected %zu", m->request, s->fd_count, fds);
	return 0;
}

static int dispatch(struct vhost_server *s, const struct message *m, struct err *e)
{
	const struct request_rule *rule = find_rule(m->request);

	if (rule == NULL)
		return REFUSED;
	int rc = check_form(s, rule, m, e);
	if (rc < 0)
		return rc;
	if (s->sealed && rule->fds != 0)
		return REFUSED;
	return rule->handle(s, m, e);
}

static int handle_message(struct vhost_server *s, const struct message *m, struct err *e)
{
	bool need_reply = (m->flags & VHOST_FLAG_NEED_REPLY) != 0;

	if (need_reply && (s->protocol_features & VHOST_PROTOCOL_REPLY_ACK) == 0)
		return err_set(e, EX_MALFORMED,
			       "vhost-user: acknowledgement wanted but not negotiated");
	int rc = dispatch(s, m, e);
	if (rc < 0)
		return rc;
	if (rc == REFUSED && !need_reply)
		return err_set(e, EX_MALFORMED, "vhost-user: request %u is not possible here",
			       m->request);
	/* set_protocol_features may just have turned acknowledgements on: then the message
	 * itself could not ask for one yet. */
	if (need_reply && rc != REPLIED)
		rc = reply_u64(s, m->request, rc == DONE ? 0 : 1, e);
	return rc < 0 ? rc : 1;
}

static struct message header_of(const struct vhost_server *s)
{
	struct reader r = reader_over(s->message, VHOST_HEADER_SIZE);
	struct message m = { .payload = s->message + VHOST_HEADER_SIZE };

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
	struct message m = header_of(s);
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
