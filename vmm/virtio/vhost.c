#include "vmm/virtio/vhost.h"

#include "common/bytes.h"
#include "common/fdpass.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* The signal that ends a run may hit us here; each one begins the wait anew, so few are taken. */
#define INTERRUPTS_MAX 8

/* --- messages --- */

size_t vhost_encode(const struct vhost_message *m, uint8_t *out)
{
	struct writer w = writer_over(out, VHOST_HEADER_SIZE + VHOST_PAYLOAD_MAX);

	write_le32(&w, m->request);
	write_le32(&w, m->flags);
	write_le32(&w, m->size);
	write_copy(&w, m->payload, m->size);
	return w.pos;
}

bool vhost_header_answers(const uint8_t *header, uint32_t request, uint32_t payload_size)
{
	struct reader r = reader_over(header, VHOST_HEADER_SIZE);
	uint32_t got_request = read_le32(&r);
	uint32_t flags = read_le32(&r);
	uint32_t size = read_le32(&r);

	return got_request == request && flags == (VHOST_VERSION | VHOST_REPLY) &&
	       size == payload_size;
}

static struct writer begin(struct vhost_message *m, enum vhost_request request)
{
	m->request = request;
	m->flags = VHOST_VERSION;
	m->size = 0;
	return writer_over(m->payload, sizeof(m->payload));
}

/* --- the stream --- */

static int lost(struct vhost *v, uint32_t request, const char *cause, struct err *e)
{
	v->dead = true;
	return err_set(e, EX_INTERNAL,
		       "vhost-user back end: message %u: %s: see the log of the device", request,
		       cause);
}

static int put(struct vhost *v, const struct vhost_message *m, const int *fds, size_t count,
	       struct err *e)
{
	uint8_t wire[VHOST_HEADER_SIZE + VHOST_PAYLOAD_MAX];
	size_t size = vhost_encode(m, wire);

	if (v->dead)
		return lost(v, m->request, "connection already given up", e);
	if (count != 0) {
		if (fdpass_send(v->fd, wire, size, fds, count, e) == 0)
			return 0;
		return lost(v, m->request, "cannot be sent", e);
	}
	/* A whole message fits an empty socket buffer: a short write means nobody reads. */
	ssize_t n;
	unsigned tries = 0;
	do
		n = write(v->fd, wire, size);
	while (n < 0 && errno == EINTR && ++tries < INTERRUPTS_MAX);
	return n == (ssize_t)size ? 0 : lost(v, m->request, "cannot be sent", e);
}

/* One read, no loop: a peer that lets its answer drip could hold us as long as it liked. Back
 * ends write header and payload at once or one after the other, and both arrive whole. */
static int take(struct vhost *v, uint32_t request, void *out, size_t size, struct err *e)
{
	ssize_t n;
	unsigned tries = 0;

	do
		n = read(v->fd, out, size);
	while (n < 0 && errno == EINTR && ++tries < INTERRUPTS_MAX);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return lost(v, request, "no answer in time", e);
	if (n < 0)
		return lost(v, request, "connection failed", e);
	if (n == 0)
		return lost(v, request, "connection closed", e);
	if ((size_t)n != size)
		return lost(v, request, "answer is too short", e);
	return 0;
}

/* The answer to request: exactly size payload bytes. */
static int get(struct vhost *v, uint32_t request, uint8_t *payload, uint32_t size, struct err *e)
{
	uint8_t header[VHOST_HEADER_SIZE];
	int r = take(v, request, header, sizeof(header), e);

	if (r != 0)
		return r;
	if (!vhost_header_answers(header, request, size))
		return lost(v, request, "malformed answer", e);
	return take(v, request, payload, size, e);
}

/* Sends a message that has no answer of its own; with REPLY_ACK waits for its confirmation. */
static int tell(struct vhost *v, struct vhost_message *m, size_t size, const int *fds,
		size_t count, struct err *e)
{
	uint8_t answer[8] = { 0 };
	struct reader reader = reader_over(answer, sizeof(answer));
	int r;

	m->size = (uint32_t)size;
	if (v->reply_ack)
		m->flags |= VHOST_NEED_REPLY;
	r = put(v, m, fds, count, e);
	if (r != 0 || !v->reply_ack)
		return r;
	r = get(v, m->request, answer, sizeof(answer), e);
	if (r != 0)
		return r;
	return read_le64(&reader) == 0 ? 0 : lost(v, m->request, "refused", e);
}

static int tell_u64(struct vhost *v, enum vhost_request request, uint64_t value, const int *fds,
		    size_t count, struct err *e)
{
	struct vhost_message m;
	struct writer w = begin(&m, request);

	write_le64(&w, value);
	return tell(v, &m, w.pos, fds, count, e);
}

static int tell_vring(struct vhost *v, enum vhost_request request, unsigned queue, uint32_t value,
		      struct err *e)
{
	struct vhost_message m;
	struct writer w = begin(&m, request);

	write_le32(&w, queue);
	write_le32(&w, value);
	return tell(v, &m, w.pos, NULL, 0, e);
}

static int ask_u64(struct vhost *v, enum vhost_request request, uint64_t *out, struct err *e)
{
	struct vhost_message m;
	uint8_t answer[8] = { 0 };
	struct reader reader = reader_over(answer, sizeof(answer));
	int r;

	begin(&m, request);
	r = put(v, &m, NULL, 0, e);
	if (r == 0)
		r = get(v, request, answer, sizeof(answer), e);
	if (r == 0)
		*out = read_le64(&reader);
	return r;
}

/* --- set-up --- */

static int set_timeouts(struct vhost *v, struct err *e)
{
	const struct timeval wait = { .tv_sec = VHOST_WAIT_SECONDS };

	if (setsockopt(v->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) != 0 ||
	    setsockopt(v->fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) != 0)
		return err_errno(e, EX_INTERNAL, errno,
				 "vhost-user socket %d: no timeout can be set: pass a socket",
				 v->fd);
	return 0;
}

int vhost_connect(struct vhost *v, int fd, struct err *e)
{
	const uint64_t needed = VHOST_PROTOCOL_CONFIG;
	uint64_t features, protocol;
	struct vhost_message m;
	int r;

	*v = (struct vhost){ .fd = fd };
	r = set_timeouts(v, e);
	if (r == 0)
		r = ask_u64(v, VHOST_GET_FEATURES, &features, e);
	if (r != 0)
		return r;
	if ((features & VHOST_F_PROTOCOL_FEATURES) == 0)
		return lost(v, VHOST_GET_FEATURES, "protocol features are not offered", e);
	v->features = features & ~VHOST_F_PROTOCOL_FEATURES;
	r = ask_u64(v, VHOST_GET_PROTOCOL_FEATURES, &protocol, e);
	if (r != 0)
		return r;
	if ((protocol & needed) != needed)
		return lost(v, VHOST_GET_PROTOCOL_FEATURES, "CONFIG is not offered", e);
	protocol &= needed | VHOST_PROTOCOL_REPLY_ACK;
	r = tell_u64(v, VHOST_SET_PROTOCOL_FEATURES, protocol, NULL, 0, e);
	if (r != 0)
		return r;
	v->reply_ack = (protocol & VHOST_PROTOCOL_REPLY_ACK) != 0;
	begin(&m, VHOST_SET_OWNER);
	return tell(v, &m, 0, NULL, 0, e);
}

int vhost_get_config(struct vhost *v, void *out, uint32_t size, struct err *e)
{
	struct vhost_message m;
	struct writer w = begin(&m, VHOST_GET_CONFIG);
	uint8_t answer[12 + VHOST_CONFIG_MAX] = { 0 };
	int r;

	if (size == 0 || size > VHOST_CONFIG_MAX)
		return err_set(e, EX_INTERNAL, "vhost-user configuration: %u bytes: ask for 1..%u",
			       size, VHOST_CONFIG_MAX);
	write_le32(&w, 0); /* offset */
	write_le32(&w, size);
	write_le32(&w, 0); /* flags */
	write_zeros(&w, size);
	m.size = (uint32_t)w.pos;
	r = put(v, &m, NULL, 0, e);
	if (r == 0)
		r = get(v, VHOST_GET_CONFIG, answer, 12 + size, e);
	if (r != 0)
		return r;
	struct reader reader = reader_over(answer, 12 + size);
	if (read_le32(&reader) != 0 || read_le32(&reader) != size)
		return lost(v, VHOST_GET_CONFIG, "another range was answered", e);
	memcpy(out, answer + 12, size);
	return 0;
}

int vhost_set_memory(struct vhost *v, const struct memory *memory, struct err *e)
{
	struct vhost_message m;
	struct writer w = begin(&m, VHOST_SET_MEM_TABLE);
	int fds[MEMORY_REGION_MAX];

	write_le32(&w, memory->count);
	write_le32(&w, 0);
	for (unsigned i = 0; i < memory->count; i++) {
		const struct memory_region *region = &memory->region[i];

		write_le64(&w, region->gpa);
		write_le64(&w, region->size);
		write_le64(&w, region->gpa); /* "user address" */
		write_le64(&w, region->offset);
		fds[i] = memory->fd;
	}
	return tell(v, &m, w.pos, fds, memory->count, e);
}

int vhost_set_kick(struct vhost *v, unsigned queue, int eventfd, struct err *e)
{
	return tell_u64(v, VHOST_SET_VRING_KICK, queue, &eventfd, 1, e);
}

int vhost_set_call(struct vhost *v, unsigned queue, int eventfd, struct err *e)
{
	return tell_u64(v, VHOST_SET_VRING_CALL, queue, &eventfd, 1, e);
}

/* --- run time --- */

int vhost_set_features(struct vhost *v, uint64_t features, struct err *e)
{
	/* With bit 30 a ring stays disabled until SET_VRING_ENABLE says otherwise. */
	return tell_u64(v, VHOST_SET_FEATURES, features | VHOST_F_PROTOCOL_FEATURES, NULL, 0, e);
}

static int set_address(struct vhost *v, unsigned queue, const struct vhost_ring *ring,
		       struct err *e)
{
	struct vhost_message m;
	struct writer w = begin(&m, VHOST_SET_VRING_ADDR);

	write_le32(&w, queue);
	write_le32(&w, 0); /* flags: no logging */
	write_le64(&w, ring->desc);
	write_le64(&w, ring->device); /* used ring before available ring */
	write_le64(&w, ring->driver);
	write_le64(&w, 0);
	return tell(v, &m, w.pos, NULL, 0, e);
}

int vhost_start_ring(struct vhost *v, unsigned queue, const struct vhost_ring *ring, struct err *e)
{
	int r = tell_vring(v, VHOST_SET_VRING_NUM, queue, ring->size, e);

	if (r == 0)
		r = tell_vring(v, VHOST_SET_VRING_BASE, queue, 0, e);
	if (r == 0)
		r = set_address(v, queue, ring, e);
	if (r == 0)
		r = tell_vring(v, VHOST_SET_VRING_ENABLE, queue, 1, e);
	return r;
}

int vhost_stop_ring(struct vhost *v, unsigned queue, struct err *e)
{
	struct vhost_message m;
	struct writer w = begin(&m, VHOST_GET_VRING_BASE);
	uint8_t answer[8] = { 0 };
	struct reader reader = reader_over(answer, sizeof(answer));
	int r;

	write_le32(&w, queue);
	write_le32(&w, 0);
	m.size = (uint32_t)w.pos;
	r = put(v, &m, NULL, 0, e);
	if (r == 0)
		r = get(v, VHOST_GET_VRING_BASE, answer, sizeof(answer), e);
	if (r != 0)
		return r;
	if (read_le32(&reader) != queue)
		return lost(v, VHOST_GET_VRING_BASE, "another queue was answered", e);
	return tell_vring(v, VHOST_SET_VRING_ENABLE, queue, 0, e);
}
