#include "devices/vhost_requests.h"

#include "common/bytes.h"

#include <unistd.h>

#define OWN_PROTOCOL (VHOST_PROTOCOL_MQ | VHOST_PROTOCOL_REPLY_ACK | VHOST_PROTOCOL_CONFIG)

static uint64_t own_features(const struct vhost_server *s)
{
	return s->offer.features | VIRTIO_F_VERSION_1 | VHOST_F_PROTOCOL_FEATURES;
}

static uint64_t payload_u64(const struct vhost_message *m)
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

static int get_features(struct vhost_server *s, const struct vhost_message *m, struct err *e)
{
	return vhost_reply_u64(s, m->request, own_features(s), e);
}

static int set_features(struct vhost_server *s, const struct vhost_message *m, struct err *e)
{
	uint64_t wanted = payload_u64(m);

	(void)e;
	if ((wanted & ~own_features(s)) != 0)
		return VHOST_GUEST;
	s->features = wanted;
	return VHOST_DONE;
}

static int set_owner(struct vhost_server *s, const struct vhost_message *m, struct err *e)
{
	(void)s;
	(void)m;
	(void)e;
	return VHOST_DONE;
}

static int get_protocol_features(struct vhost_server *s, const struct vhost_message *m,
				 struct err *e)
{
	return vhost_reply_u64(s, m->request, OWN_PROTOCOL, e);
}

static int set_protocol_features(struct vhost_server *s, const struct vhost_message *m,
				 struct err *e)
{
	uint64_t wanted = payload_u64(m);

	(void)e;
	if ((wanted & ~OWN_PROTOCOL) != 0)
		return VHOST_REFUSED;
	s->protocol_features = wanted;
	return VHOST_DONE;
}

static int get_queue_num(struct vhost_server *s, const struct vhost_message *m, struct err *e)
{
	return vhost_reply_u64(s, m->request, s->offer.queue_count, e);
}

/* The old table goes first: ring addresses of the old one mean nothing in the new. */
static int set_mem_table(struct vhost_server *s, const struct vhost_message *m, struct err *e)
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
	return VHOST_DONE;
}

static int set_vring_num(struct vhost_server *s, const struct vhost_message *m, struct err *e)
{
	struct reader r = reader_over(m->payload, m->size);
	struct virtqueue *q = find_queue(s, read_le32(&r), e);
	uint32_t num = read_le32(&r);

	if (q == NULL)
		return -EX_MALFORMED;
	/* The rings were checked for their old size: a new one needs a stopped queue. */
	if (q->configured || num == 0 || num > VQ_SIZE_MAX || (num & (num - 1)) != 0)
		return VHOST_GUEST;
	q->size = num;
	return VHOST_DONE;
}

static int set_vring_base(struct vhost_server *s, const struct vhost_message *m, struct err *e)
{
	struct reader r = reader_over(m->payload, m->size);
	struct virtqueue *q = find_queue(s, read_le32(&r), e);
	uint32_t base = read_le32(&r);

	if (q == NULL)
		return -EX_MALFORMED;
	if (q->configured || base > UINT16_MAX)
		return VHOST_GUEST;
	q->next = (uint16_t)base;
	return VHOST_DONE;
}

static int set_vring_addr(struct vhost_server *s, const struct vhost_message *m, struct err *e)
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
		return VHOST_REFUSED;
	/* One byte here; vq_configure checks whole rings. Payload order: desc, used, avail. */
	for (unsigned i = 0; i < 3; i++)
		found = guest_memory_translate(&s->mem, user[i], 1, &gpa[i]) && found;
	if (!found || (s->features & VIRTIO_F_VERSION_1) == 0 ||
	    !vq_configure(q, gpa[0], gpa[2], gpa[1])) {
		q->configured = false;
		vq_break(q, "ring addresses, size or features unusable");
		return VHOST_GUEST;
	}
	/* Without VHOST_F_PROTOCOL_FEATURES a ring starts enabled ("Ring states"). */
	if ((s->features & VHOST_F_PROTOCOL_FEATURES) == 0)
		q->enabled = true;
	return VHOST_DONE;
}

static int get_vring_base(struct vhost_server *s, const struct vhost_message *m, struct err *e)
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
	return vhost_reply(s, m->request, payload, sizeof(payload), e);
}

static int set_vring_enable(struct vhost_server *s, const struct vhost_message *m, struct err *e)
{
	struct reader r = reader_over(m->payload, m->size);
	struct virtqueue *q = find_queue(s, read_le32(&r), e);
	uint32_t on = read_le32(&r);

	if (q == NULL)
		return -EX_MALFORMED;
	if (on > 1)
		return err_set(e, EX_MALFORMED, "vhost-user: SET_VRING_ENABLE %u", on);
	q->enabled = on == 1;
	return VHOST_DONE;
}

/* KICK, CALL, ERR: the one descriptor becomes the queue's. */
static int set_vring_fd(struct vhost_server *s, const struct vhost_message *m, struct err *e)
{
	uint64_t value = payload_u64(m);
	struct virtqueue *q = find_queue(s, value & VHOST_VRING_INDEX_MASK, e);

	if (q == NULL)
		return -EX_MALFORMED;
	if ((value & ~VHOST_VRING_INDEX_MASK) != 0)
		return err_set(e, EX_MALFORMED,
			       "vhost-user: a queue without eventfd, or unknown bits");
	int rc = vhost_set_nonblock(s->fds[0], e);
	if (rc < 0)
		return rc;
	int *slot = m->request == VHOST_SET_VRING_KICK   ? &q->kick
		    : m->request == VHOST_SET_VRING_CALL ? &q->call
							 : &q->err;
	if (*slot >= 0)
		close(*slot);
	*slot = s->fds[0];
	s->fds[0] = -1; /* taken */
	return VHOST_DONE;
}

/* Out-of-range requests are answered with an empty region, as the protocol has it. */
static int get_config(struct vhost_server *s, const struct vhost_message *m, struct err *e)
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
	return vhost_reply(s, m->request, payload, (uint32_t)w.pos, e);
}

typedef int handler_fn(struct vhost_server *s, const struct vhost_message *m, struct err *e);

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
		      const struct vhost_message *m, struct err *e)
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

int vhost_request(struct vhost_server *s, const struct vhost_message *m, struct err *e)
{
	const struct request_rule *rule = find_rule(m->request);

	if (rule == NULL)
		return VHOST_REFUSED;
	int rc = check_form(s, rule, m, e);
	if (rc < 0)
		return rc;
	if (s->sealed && rule->fds != 0)
		return VHOST_REFUSED;
	return rule->handle(s, m, e);
}
