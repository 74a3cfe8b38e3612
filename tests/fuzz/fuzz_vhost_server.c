/* A hostile front end. The input is a list of pieces {u8 control, u8 size, bytes}: what is
 * written to the socket at once. control: bits 0..3 descriptors that go along (0..8), bit 4 the
 * process is sealed from here on. Checked: no crash, no descriptor leaks, memory and queues
 * stay consistent, and what runs can be served. */
#include "common/bytes.h"
#include "common/fdpass.h"
#include "devices/vhost_server.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define RAM 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int memfd = -1;

static void require(bool ok)
{
	if (!ok)
		abort();
}

static void set_up(void)
{
	memfd = memfd_create("fuzz", MFD_ALLOW_SEALING);
	require(memfd >= 0 && ftruncate(memfd, RAM) == 0);
	require(fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) == 0);
}

static void check(struct vhost_server *s)
{
	static struct vq_chain chain;

	require(s->mem.count <= GUEST_REGION_MAX && s->fd_count <= VHOST_REGIONS_MAX);
	for (unsigned i = 0; i < s->offer.queue_count; i++) {
		struct virtqueue *q = &s->queue[i];

		require(q->size <= VQ_SIZE_MAX && (q->size & (q->size - 1)) == 0);
		if (q->configured)
			require(q->size > 0 && guest_memory_has(&s->mem, q->desc, 16ull * q->size));
		if (vq_peek(q, &chain))
			vq_done(q, &chain, 0);
	}
}

/* One piece into the socket, then the server until it has taken it all. */
static int step(struct vhost_server *s, int sock, struct reader *r)
{
	uint8_t control = read_u8(r);
	size_t n = read_u8(r);
	struct err e = { 0 };
	int fds[8];

	if (n > reader_left(r))
		n = reader_left(r);
	const uint8_t *bytes = read_view(r, n);
	if (n == 0)
		return 1;
	if ((control & 0x10) != 0)
		s->sealed = true;
	for (size_t i = 0; i < 8; i++)
		fds[i] = memfd;
	size_t count = control & 15u;
	require(fdpass_send(sock, bytes, n, fds, count > 8 ? 8 : count, &e) == 0);
	/* Each call takes a byte at least, so n + 1 calls are enough. */
	for (size_t i = 0; i <= n; i++) {
		uint8_t peek;

		if (recv(s->fd, &peek, 1, MSG_PEEK | MSG_DONTWAIT) != 1)
			return 1;
		int rc = vhost_server_input(s, &e);
		require(rc == 1 || rc == -EX_MALFORMED || rc == -EX_HOST || rc == -EX_INTERNAL);
		if (rc < 0)
			return rc;
		check(s);
	}
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct vhost_server s;
	static const uint8_t config[60];
	const struct vhost_offer offer = { .features = 1u << 9, .queue_count = 3, .config = config,
					   .config_size = sizeof(config) };
	struct devlog log = { .fd = -1, .name = "fuzz" };
	struct reader r = reader_over(data, size);
	struct err e = { 0 };
	int pair[2], probe, after;

	if (memfd < 0)
		set_up();
	probe = dup(memfd); /* the lowest free number: the same again when nothing leaked */
	close(probe);
	require(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	require(fcntl(pair[0], F_SETFL, O_NONBLOCK) == 0);
	require(vhost_server_init(&s, pair[1], &offer, &log, &e) == 0);
	while (reader_left(&r) > 0) {
		uint8_t sink[4096];

		if (step(&s, pair[0], &r) < 0)
			break;
		while (read(pair[0], sink, sizeof(sink)) > 0)
			;
	}
	vhost_server_close(&s);
	close(pair[0]);
	close(pair[1]);
	after = dup(memfd);
	close(after);
	require(after == probe);
	return 0;
}
