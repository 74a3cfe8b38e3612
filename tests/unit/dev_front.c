#include "tests/unit/dev_front.h"

#include "common/bytes.h"
#include "common/fdpass.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* The tests' own machinery failing is no test result. */
static void need(bool ok)
{
	if (!ok)
		abort();
}

void front_open(struct front *f, const struct vhost_offer *offer)
{
	struct err e = { 0 };
	int pair[2];

	memset(f, 0, sizeof(*f));
	f->memfd = memfd_create("guest", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	need(f->memfd >= 0 && ftruncate(f->memfd, FRONT_RAM) == 0);
	need(fcntl(f->memfd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) == 0);
	f->ram = mmap(NULL, FRONT_RAM, PROT_READ | PROT_WRITE, MAP_SHARED, f->memfd, 0);
	need(f->ram != MAP_FAILED);
	need(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	f->sock = pair[0];
	f->back = pair[1];
	need(fcntl(f->sock, F_SETFL, O_NONBLOCK) == 0);
	for (unsigned i = 0; i < VHOST_QUEUES_MAX; i++) {
		f->kick[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		f->call[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		need(f->kick[i] >= 0 && f->call[i] >= 0);
	}
	f->log = (struct devlog){ .fd = -1, .name = "test" };
	need(vhost_server_init(&f->server, f->back, offer, &f->log, &e) == 0);
}

void front_close(struct front *f)
{
	vhost_server_close(&f->server);
	for (unsigned i = 0; i < VHOST_QUEUES_MAX; i++) {
		close(f->kick[i]);
		close(f->call[i]);
	}
	munmap(f->ram, FRONT_RAM);
	close(f->memfd);
	close(f->sock);
	close(f->back);
}

int front_send(struct front *f, uint32_t request, uint32_t flags, const void *payload,
	       uint32_t size, const int *fds, size_t fd_count)
{
	uint8_t out[VHOST_HEADER_SIZE + 1024];
	struct writer w = writer_over(out, sizeof(out));
	struct err e = { 0 };

	write_le32(&w, request);
	write_le32(&w, VHOST_VERSION | flags);
	write_le32(&w, size);
	write_copy(&w, payload, size);
	need(!w.bad && fdpass_send(f->sock, out, w.pos, fds, fd_count, &e) == 0);
	if (f->remote)
		return 1;
	int rc = 1;
	size_t before = SIZE_MAX;
	/* Until the message is complete (nothing held back) or refused. */
	while (rc == 1 && (f->server.have != 0 || before == SIZE_MAX)) {
		before = f->server.have;
		rc = vhost_server_input(&f->server, &e);
	}
	return rc;
}

int front_reply(struct front *f, uint32_t request, void *payload, size_t max)
{
	uint8_t in[VHOST_HEADER_SIZE + VHOST_PAYLOAD_MAX];
	struct pollfd p = { .fd = f->sock, .events = POLLIN };

	if (f->remote)
		need(poll(&p, 1, 5000) == 1);
	ssize_t n = read(f->sock, in, sizeof(in));

	if (n < 0)
		return -1;
	struct reader r = reader_over(in, (size_t)n);
	need(read_le32(&r) == request);
	need(read_le32(&r) == (VHOST_VERSION | VHOST_FLAG_REPLY));
	uint32_t size = read_le32(&r);
	need(reader_left(&r) == size && size <= max);
	read_copy(&r, payload, size);
	return (int)size;
}

uint64_t front_ack(struct front *f, uint32_t request, const void *payload, uint32_t size,
		   const int *fds, size_t fd_count)
{
	uint64_t answer = 0;

	need(front_send(f, request, VHOST_FLAG_NEED_REPLY, payload, size, fds, fd_count) == 1);
	need(front_reply(f, request, &answer, sizeof(answer)) == (int)sizeof(answer));
	return answer;
}

static void send_u64(struct front *f, uint32_t request, uint64_t value, int fd)
{
	need(front_ack(f, request, &value, sizeof(value), &fd, fd >= 0 ? 1 : 0) == 0);
}

void front_setup_before_seal(struct front *f)
{
	uint64_t protocol = VHOST_PROTOCOL_REPLY_ACK | VHOST_PROTOCOL_CONFIG;
	uint64_t table[5] = { 1, FRONT_GPA, FRONT_RAM, FRONT_USER, 0 };

	need(front_send(f, VHOST_SET_PROTOCOL_FEATURES, 0, &protocol, 8, NULL, 0) == 1);
	need(front_ack(f, VHOST_SET_OWNER, NULL, 0, NULL, 0) == 0);
	need(front_ack(f, VHOST_SET_MEM_TABLE, table, sizeof(table), &f->memfd, 1) == 0);
	for (unsigned i = 0; i < f->server.offer.queue_count; i++) {
		send_u64(f, VHOST_SET_VRING_KICK, i, f->kick[i]);
		send_u64(f, VHOST_SET_VRING_CALL, i, f->call[i]);
	}
}

void front_start_queue(struct front *f, unsigned n, uint64_t features)
{
	uint32_t num[2] = { n, FRONT_QUEUE_SIZE }, base[2] = { n, 0 }, on[2] = { n, 1 };
	uint64_t addr[5] = { n, FRONT_USER + FRONT_DESC(n), FRONT_USER + FRONT_USED(n),
			     FRONT_USER + FRONT_AVAIL(n), 0 };

	memset(f->ram + FRONT_DESC(n), 0, 0x3000);
	f->avail_idx[n] = 0;
	send_u64(f, VHOST_SET_FEATURES, features | VIRTIO_F_VERSION_1 | VHOST_F_PROTOCOL_FEATURES,
		 -1);
	need(front_ack(f, VHOST_SET_VRING_NUM, num, sizeof(num), NULL, 0) == 0);
	need(front_ack(f, VHOST_SET_VRING_BASE, base, sizeof(base), NULL, 0) == 0);
	need(front_ack(f, VHOST_SET_VRING_ADDR, addr, sizeof(addr), NULL, 0) == 0);
	need(front_ack(f, VHOST_SET_VRING_ENABLE, on, sizeof(on), NULL, 0) == 0);
}

void front_stop_queue(struct front *f, unsigned n)
{
	uint32_t state[2] = { n, 0 };

	need(front_send(f, VHOST_GET_VRING_BASE, 0, state, sizeof(state), NULL, 0) == 1);
	need(front_reply(f, VHOST_GET_VRING_BASE, state, sizeof(state)) == (int)sizeof(state));
}

void ring_desc(struct front *f, unsigned n, uint16_t i, uint64_t gpa, uint32_t size,
	       uint16_t flags, uint16_t next)
{
	struct writer w = writer_over(f->ram + FRONT_DESC(n) + (size_t)16 * i, 16);

	write_le64(&w, gpa);
	write_le32(&w, size);
	write_le16(&w, flags);
	write_le16(&w, next);
}

static void store_le16(uint8_t *to, uint16_t v)
{
	struct writer w = writer_over(to, 2);

	write_le16(&w, v);
}

void ring_offer(struct front *f, unsigned n, uint16_t head)
{
	uint16_t slot = f->avail_idx[n] % FRONT_QUEUE_SIZE;

	store_le16(f->ram + FRONT_AVAIL(n) + 4 + (size_t)2 * slot, head);
	store_le16(f->ram + FRONT_AVAIL(n) + 2u, ++f->avail_idx[n]);
}

uint16_t ring_used_idx(const struct front *f, unsigned n)
{
	struct reader r = reader_over(f->ram + FRONT_USED(n) + 2u, 2);

	return read_le16(&r);
}

void ring_used(const struct front *f, unsigned n, uint16_t i, uint32_t *id, uint32_t *size)
{
	struct reader r =
		reader_over(f->ram + FRONT_USED(n) + 4 + (size_t)8 * (i % FRONT_QUEUE_SIZE), 8);

	*id = read_le32(&r);
	*size = read_le32(&r);
}

int ring_interrupted(struct front *f, unsigned n)
{
	uint64_t count;

	return read(f->call[n], &count, sizeof(count)) == (ssize_t)sizeof(count);
}
