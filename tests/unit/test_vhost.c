/* The vhost-user front end against back ends that behave, lie, drip or keep silent. */
#include "common/bytes.h"
#include "common/fdpass.h"
#include "vmm/virtio/vhost.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum fault {
	GOOD, SHORT_HEADER, SHORT_PAYLOAD, OVERSIZE, UNDERSIZE, WRONG_REQUEST, NO_REPLY_FLAG,
	WRONG_VERSION, REFUSE, SILENT, CLOSE, NO_CONFIG_BIT, NO_PROTOCOL_BIT, WRONG_QUEUE,
	CONFIG_ERROR, IN_TWO_PARTS,
};

#define BACKEND_FEATURES (1ull << 32 | 1ull << 9 | VHOST_F_PROTOCOL_FEATURES)
#define SEEN_MAX 64

struct backend {
	int fd;
	enum fault fault;
	uint32_t at;       /* the request the fault shows at; 0: at every one */
	bool plain;        /* does not offer REPLY_ACK */
	unsigned count;
	struct vhost_message seen[SEEN_MAX];
	size_t fds[SEEN_MAX];
	pthread_t thread;
};

struct setting {
	struct backend backend;
	struct vhost vhost;
	int front;
	struct err e;
};

/* --- the back end --- */

static bool faulty(const struct backend *b, enum fault f, uint32_t request)
{
	return b->fault == f && (b->at == 0 || b->at == request);
}

static void answer(struct backend *b, uint32_t request, const void *payload, uint32_t size)
{
	struct vhost_message m = { .request = request, .flags = VHOST_VERSION | VHOST_REPLY,
				   .size = size };
	uint8_t wire[VHOST_HEADER_SIZE + VHOST_PAYLOAD_MAX];
	size_t n, first;

	memcpy(m.payload, payload, size);
	if (faulty(b, OVERSIZE, request))
		m.size += 8;
	if (faulty(b, UNDERSIZE, request))
		m.size -= 4;
	if (faulty(b, WRONG_REQUEST, request))
		m.request++;
	if (faulty(b, NO_REPLY_FLAG, request))
		m.flags = VHOST_VERSION;
	if (faulty(b, WRONG_VERSION, request))
		m.flags = VHOST_REPLY | 2;
	n = vhost_encode(&m, wire);
	if (faulty(b, SHORT_HEADER, request))
		n = 7;
	if (faulty(b, SHORT_PAYLOAD, request))
		n -= 1;
	first = faulty(b, IN_TWO_PARTS, request) ? VHOST_HEADER_SIZE : n;
	if (write(b->fd, wire, first) == (ssize_t)first && first < n)
		(void)!write(b->fd, wire + first, n - first);
}

static void answer_u64(struct backend *b, uint32_t request, uint64_t value)
{
	uint8_t bytes[8];
	struct writer w = writer_over(bytes, sizeof(bytes));

	write_le64(&w, value);
	answer(b, request, bytes, sizeof(bytes));
}

static void handle(struct backend *b, const struct vhost_message *m)
{
	struct vhost_message copy = *m;

	switch (m->request) {
	case VHOST_GET_FEATURES:
		answer_u64(b, m->request, b->fault == NO_PROTOCOL_BIT ? 1ull << 32
								      : BACKEND_FEATURES);
		return;
	case VHOST_GET_PROTOCOL_FEATURES:
		answer_u64(b, m->request,
			   (b->fault == NO_CONFIG_BIT ? 0 : VHOST_PROTOCOL_CONFIG) | 1 |
				   (b->plain ? 0 : VHOST_PROTOCOL_REPLY_ACK));
		return;
	case VHOST_GET_CONFIG:
		if (b->fault == CONFIG_ERROR) {
			memset(copy.payload, 0, 12);
		} else {
			memset(copy.payload + 12, 0xC0, copy.size - 12);
		}
		answer(b, m->request, copy.payload, copy.size);
		return;
	case VHOST_GET_VRING_BASE:
		copy.payload[0] = (uint8_t)(copy.payload[0] + (b->fault == WRONG_QUEUE));
		copy.payload[4] = 77;
		answer(b, m->request, copy.payload, 8);
		return;
	default:
		if ((m->flags & VHOST_NEED_REPLY) != 0)
			answer_u64(b, m->request, faulty(b, REFUSE, m->request));
	}
}

static bool take_message(struct backend *b)
{
	uint8_t header[VHOST_HEADER_SIZE];
	struct vhost_message *m = &b->seen[b->count];
	struct err e = { 0 };
	size_t got, fd_count;
	int fds[FDPASS_MAX];

	if (b->count == SEEN_MAX ||
	    fdpass_receive(b->fd, header, sizeof(header), &got, fds, FDPASS_MAX, &fd_count, &e) !=
		    0 ||
	    got != sizeof(header))
		return false;
	for (size_t i = 0; i < fd_count; i++)
		close(fds[i]);
	struct reader r = reader_over(header, got);
	m->request = read_le32(&r);
	m->flags = read_le32(&r);
	m->size = read_le32(&r);
	if (m->size > VHOST_PAYLOAD_MAX ||
	    (m->size != 0 && read(b->fd, m->payload, m->size) != (ssize_t)m->size))
		return false;
	b->fds[b->count++] = fd_count;
	if (faulty(b, CLOSE, m->request))
		return false;
	if (!faulty(b, SILENT, m->request))
		handle(b, m);
	return true;
}

static void *backend_main(void *argument)
{
	struct backend *b = argument;

	while (take_message(b))
		;
	shutdown(b->fd, SHUT_RDWR);
	return NULL;
}

static void open_setting(struct setting *s, enum fault fault, uint32_t at)
{
	int pair[2];

	memset(s, 0, sizeof(*s));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	s->front = pair[0];
	s->backend = (struct backend){ .fd = pair[1], .fault = fault, .at = at };
	assert_int_equal(pthread_create(&s->backend.thread, NULL, backend_main, &s->backend), 0);
}

static void close_setting(struct setting *s)
{
	shutdown(s->front, SHUT_RDWR);
	pthread_join(s->backend.thread, NULL);
	close(s->front);
	close(s->backend.fd);
}

/* --- tests --- */

static const struct vhost_ring ring = { 128, 0x1000, 0x2000, 0x3000 };

/* All a device's life; the first error ends it. */
static int live(struct setting *s)
{
	struct memory memory = { .fd = memfd_create("ram", 0), .count = 2,
				 .region = { { 0, 0xC0000000, 0, 0x7000 },
					     { 0x100000000, 0x200000, 0xC0000000, 0x8000 } } };
	uint8_t config[60];
	int r = vhost_connect(&s->vhost, s->front, &s->e);

	if (r == 0)
		r = vhost_get_config(&s->vhost, config, sizeof(config), &s->e);
	if (r == 0)
		r = config[0] == 0xC0 && config[59] == 0xC0 ? 0 : 1;
	if (r == 0)
		r = vhost_set_memory(&s->vhost, &memory, &s->e);
	if (r == 0)
		r = vhost_set_call(&s->vhost, 0, memory.fd, &s->e);
	if (r == 0)
		r = vhost_set_kick(&s->vhost, 0, memory.fd, &s->e);
	if (r == 0)
		r = vhost_set_features(&s->vhost, 1ull << 32, &s->e);
	if (r == 0)
		r = vhost_start_ring(&s->vhost, 1, &ring, &s->e);
	if (r == 0)
		r = vhost_stop_ring(&s->vhost, 1, &s->e);
	close(memory.fd);
	return r;
}

static uint64_t payload_u64(const struct vhost_message *m, size_t at)
{
	struct reader r = reader_over(m->payload + at, 8);

	return read_le64(&r);
}

static void check_what_was_sent(const struct backend *b)
{
	static const struct {
		uint32_t request, size;
		size_t fds;
	} expected[] = {
		{ VHOST_GET_FEATURES, 0, 0 }, { VHOST_GET_PROTOCOL_FEATURES, 0, 0 },
		{ VHOST_SET_PROTOCOL_FEATURES, 8, 0 }, { VHOST_SET_OWNER, 0, 0 },
		{ VHOST_GET_CONFIG, 72, 0 }, { VHOST_SET_MEM_TABLE, 72, 2 },
		{ VHOST_SET_VRING_CALL, 8, 1 }, { VHOST_SET_VRING_KICK, 8, 1 },
		{ VHOST_SET_FEATURES, 8, 0 }, { VHOST_SET_VRING_NUM, 8, 0 },
		{ VHOST_SET_VRING_BASE, 8, 0 }, { VHOST_SET_VRING_ADDR, 40, 0 },
		{ VHOST_SET_VRING_ENABLE, 8, 0 }, { VHOST_GET_VRING_BASE, 8, 0 },
		{ VHOST_SET_VRING_ENABLE, 8, 0 },
	};
	const size_t n = sizeof(expected) / sizeof(expected[0]);

	assert_int_equal(b->count, n);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(b->seen[i].request, expected[i].request);
		assert_int_equal(b->seen[i].size, expected[i].size);
		assert_int_equal(b->fds[i], expected[i].fds);
	}
	/* No address of this process in the memory table: user addresses are guest-physical. */
	assert_int_equal(payload_u64(&b->seen[5], 8), 0);
	assert_int_equal(payload_u64(&b->seen[5], 24), 0);
	assert_int_equal(payload_u64(&b->seen[5], 40), 0x100000000);
	assert_int_equal(payload_u64(&b->seen[5], 56), 0x100000000);
	assert_int_equal(payload_u64(&b->seen[5], 64), 0xC0000000);
	assert_int_equal(payload_u64(&b->seen[8], 0), 1ull << 32 | VHOST_F_PROTOCOL_FEATURES);
	assert_int_equal(payload_u64(&b->seen[9], 0), 128ull << 32 | 1);
	assert_int_equal(payload_u64(&b->seen[11], 8), 0x1000);
	assert_int_equal(payload_u64(&b->seen[11], 16), 0x3000);
	assert_int_equal(payload_u64(&b->seen[11], 24), 0x2000);
	assert_int_equal(payload_u64(&b->seen[12], 0), 1ull << 32 | 1);
	assert_int_equal(payload_u64(&b->seen[14], 0), 1);
}

static void good_back_ends_live_a_whole_life(void **state)
{
	(void)state;
	for (int plain = 0; plain < 2; plain++) {
		struct setting s;

		open_setting(&s, plain ? IN_TWO_PARTS : GOOD, 0);
		s.backend.plain = plain;
		assert_int_equal(live(&s), 0);
		assert_int_equal(s.vhost.reply_ack, !plain);
		assert_int_equal(s.vhost.features, 1ull << 32 | 1ull << 9);
		close_setting(&s);
		check_what_was_sent(&s.backend);
		for (unsigned i = 0; i < s.backend.count; i++)
			if (plain || i < 3)
				assert_int_equal(s.backend.seen[i].flags, VHOST_VERSION);
	}
}

struct lie {
	const char *name;
	enum fault fault;
	uint32_t at;
	const char *cause;
};

static void lies_end_the_connection(void **state)
{
	(void)state;
	static const struct lie lies[] = {
		{ "short header", SHORT_HEADER, 0, "too short" },
		{ "short payload", SHORT_PAYLOAD, VHOST_GET_VRING_BASE, "too short" },
		{ "oversize", OVERSIZE, VHOST_GET_CONFIG, "malformed" },
		{ "undersize", UNDERSIZE, VHOST_GET_FEATURES, "malformed" },
		{ "wrong request", WRONG_REQUEST, VHOST_SET_MEM_TABLE, "malformed" },
		{ "no reply flag", NO_REPLY_FLAG, VHOST_SET_VRING_ADDR, "malformed" },
		{ "wrong version", WRONG_VERSION, VHOST_GET_PROTOCOL_FEATURES, "malformed" },
		{ "memory refused", REFUSE, VHOST_SET_MEM_TABLE, "refused" },
		{ "address refused", REFUSE, VHOST_SET_VRING_ADDR, "refused" },
		{ "features refused", REFUSE, VHOST_SET_FEATURES, "refused" },
		{ "closed", CLOSE, VHOST_SET_VRING_KICK, "closed" },
		{ "no CONFIG", NO_CONFIG_BIT, 0, "CONFIG" },
		{ "no protocol features", NO_PROTOCOL_BIT, 0, "protocol features" },
		{ "another queue", WRONG_QUEUE, 0, "another queue" },
		{ "empty configuration", CONFIG_ERROR, 0, "another range" },
	};

	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		struct setting s;
		struct err again = { 0 };

		print_message("# %s\n", lies[i].name);
		open_setting(&s, lies[i].fault, lies[i].at);
		assert_int_equal(live(&s), -EX_INTERNAL);
		assert_non_null(strstr(s.e.text, lies[i].cause));
		assert_true(s.vhost.dead);
		assert_int_equal(vhost_stop_ring(&s.vhost, 0, &again), -EX_INTERNAL);
		assert_int_equal(vhost_set_call(&s.vhost, 0, 0, &again), -EX_INTERNAL);
		assert_non_null(strstr(again.text, "given up"));
		close_setting(&s);
	}
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void silence_is_bounded(void **state)
{
	(void)state;
	struct setting s;
	double start = now();

	open_setting(&s, SILENT, VHOST_GET_VRING_BASE);
	assert_int_equal(live(&s), -EX_INTERNAL);
	assert_non_null(strstr(s.e.text, "no answer in time"));
	assert_true(now() - start > VHOST_WAIT_SECONDS - 0.5);
	assert_true(now() - start < VHOST_WAIT_SECONDS + 3);
	start = now();
	assert_int_equal(vhost_stop_ring(&s.vhost, 1, &s.e), -EX_INTERNAL);
	assert_true(now() - start < 1); /* given up: no second wait */
	close_setting(&s);
}

static void a_peer_that_reads_nothing_cannot_hold_us(void **state)
{
	(void)state;
	int pair[2], sent = 0, small = 1;
	struct err e = { 0 };

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	struct timeval wait = { .tv_usec = 20000 };
	setsockopt(pair[0], SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
	struct vhost v = { .fd = pair[0] };
	while (sent < 100000 && vhost_set_features(&v, 0, &e) == 0)
		sent++;
	assert_true(sent < 100000);
	assert_true(v.dead);
	close(pair[0]);
	close(pair[1]);
}

static void headers_are_compared_whole(void **state)
{
	(void)state;
	uint8_t h[12] = { 11, 0, 0, 0, 5, 0, 0, 0, 8, 0, 0, 0 };

	assert_true(vhost_header_answers(h, 11, 8));
	for (int i = 0; i < 96; i++) {
		h[i / 8] ^= (uint8_t)(1 << i % 8);
		assert_false(vhost_header_answers(h, 11, 8));
		h[i / 8] ^= (uint8_t)(1 << i % 8);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_back_ends_live_a_whole_life),
		cmocka_unit_test(lies_end_the_connection),
		cmocka_unit_test(silence_is_bounded),
		cmocka_unit_test(a_peer_that_reads_nothing_cannot_hold_us),
		cmocka_unit_test(headers_are_compared_whole),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("vhost", tests, NULL, NULL);
}
