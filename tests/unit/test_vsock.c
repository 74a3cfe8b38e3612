#include "tests/unit/dev_front.h"

#include "devices/vsock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define CID 7u
#define PORT 1024u
#define GUEST_PORT 50000u
#define GUEST_ALLOC 4096u

static struct vsock_header packet(uint16_t op, uint32_t len)
{
	return (struct vsock_header){ .src_cid = CID, .dst_cid = VSOCK_HOST_CID,
				      .src_port = GUEST_PORT, .dst_port = PORT, .len = len,
				      .type = VSOCK_TYPE_STREAM, .op = op,
				      .buf_alloc = GUEST_ALLOC };
}

struct bench {
	struct front front;
	struct vsock vsock;
	int host; /* the launcher's end of the channel */
	int channel;
	uint16_t rx_seen;
};

#define RX_BUFFERS 8u
#define RX_SIZE 2048u
#define RX_AT(i) (FRONT_DATA + RX_SIZE * (i))
#define TX_AT (FRONT_DATA + 0x40000)

static void offer_rx(struct bench *b, uint16_t i)
{
	ring_desc(&b->front, 0, i, FRONT_GPA + RX_AT(i), RX_SIZE, F_WRITE, 0);
	ring_offer(&b->front, 0, i);
}

static int bench_open(void **state)
{
	struct vhost_offer offer;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) != 0)
		return -1;
	struct bench *b = calloc(1, sizeof(*b));
	if (b == NULL)
		return -1;
	*state = b;
	b->host = pair[0];
	b->channel = pair[1];
	if (vsock_init(&b->vsock, b->channel, CID, PORT, &offer, &(struct err){ 0 }) != 0)
		return -1;
	front_open(&b->front, &offer);
	front_setup_before_seal(&b->front);
	for (unsigned q = 0; q < 3; q++)
		front_start_queue(&b->front, q, 0);
	for (uint16_t i = 0; i < RX_BUFFERS; i++)
		offer_rx(b, i);
	return 0;
}

static int bench_close(void **state)
{
	struct bench *b = *state;

	front_close(&b->front);
	close(b->host);
	close(b->channel);
	free(b);
	return 0;
}

static void serve(struct bench *b)
{
	for (int i = 0; i < 100 && vsock_serve(&b->vsock, b->front.server.queue); i++)
		;
}

/* The guest sends one packet in one descriptor. */
static void guest_sends(struct bench *b, uint16_t op, const void *data, uint32_t len)
{
	struct vsock_header h = packet(op, len);

	vsock_header_encode(&h, b->front.ram + TX_AT);
	if (len > 0)
		memcpy(b->front.ram + TX_AT + VSOCK_HEADER_SIZE, data, len);
	ring_desc(&b->front, 1, 0, FRONT_GPA + TX_AT, VSOCK_HEADER_SIZE + len, 0, 0);
	ring_offer(&b->front, 1, 0);
	serve(b);
}

/* The guest takes one packet and offers its buffer again. NULL: none came. */
static const uint8_t *guest_gets(struct bench *b, struct vsock_header *h)
{
	static uint8_t copy[RX_SIZE];
	uint32_t id, size;

	if (b->rx_seen == ring_used_idx(&b->front, 0))
		return NULL;
	ring_used(&b->front, 0, b->rx_seen++, &id, &size);
	memcpy(copy, b->front.ram + RX_AT(id), RX_SIZE);
	vsock_header_decode(copy, h);
	assert_int_equal(size, VSOCK_HEADER_SIZE + h->len);
	offer_rx(b, (uint16_t)id);
	return copy + VSOCK_HEADER_SIZE;
}

static void guest_connects(struct bench *b)
{
	struct vsock_header h = { 0 };

	guest_sends(b, VSOCK_OP_REQUEST, NULL, 0);
	assert_non_null(guest_gets(b, &h));
	assert_int_equal(h.op, VSOCK_OP_RESPONSE);
}

static void bytes_cross_both_ways(void **state)
{
	struct bench *b = *state;
	struct vsock_header h = { 0 };
	char got[64];

	/* The host speaks first: its bytes wait until there is a stream. */
	assert_int_equal(write(b->host, "nonce", 5), 5);
	serve(b);
	assert_null(guest_gets(b, &h));
	assert_false(b->vsock.want_read);
	guest_connects(b);
	const uint8_t *p = guest_gets(b, &h);
	assert_non_null(p);
	assert_int_equal(h.op, VSOCK_OP_RW);
	assert_int_equal(h.len, 5);
	assert_memory_equal(p, "nonce", 5);
	assert_true(b->vsock.want_read);
	guest_sends(b, VSOCK_OP_RW, "evidence", 8);
	assert_int_equal(read(b->host, got, sizeof(got)), 8);
	assert_memory_equal(got, "evidence", 8);
	assert_true(ring_interrupted(&b->front, 0));
	assert_true(ring_interrupted(&b->front, 1));
}

/* More than buffers and credit hold, in order and complete. */
static void long_stream_to_the_guest(void **state)
{
	struct bench *b = *state;
	struct vsock_header h = { 0 };
	uint8_t out[20000];
	size_t got = 0;

	for (size_t i = 0; i < sizeof(out); i++)
		out[i] = (uint8_t)(i * 7 + i / 251);
	guest_connects(b);
	assert_int_equal(write(b->host, out, sizeof(out)), sizeof(out));
	for (unsigned turn = 0; turn < 200 && got < sizeof(out); turn++) {
		uint32_t in_flight = 0;
		const uint8_t *p;

		serve(b);
		while ((p = guest_gets(b, &h)) != NULL) {
			if (h.op != VSOCK_OP_RW)
				continue;
			assert_memory_equal(p, out + got, h.len);
			got += h.len;
			in_flight += h.len;
		}
		assert_in_range(in_flight, 1, GUEST_ALLOC);
		struct vsock_header update = packet(VSOCK_OP_CREDIT_UPDATE, 0);
		update.fwd_cnt = (uint32_t)got;
		vsock_header_encode(&update, b->front.ram + TX_AT);
		ring_desc(&b->front, 1, 0, FRONT_GPA + TX_AT, VSOCK_HEADER_SIZE, 0, 0);
		ring_offer(&b->front, 1, 0);
	}
	assert_int_equal(got, sizeof(out));
}

/* A host that does not read: the guest's bytes are kept up to the credit, then the stream waits. */
static void slow_host_holds_the_guest(void **state)
{
	struct bench *b = *state;
	static uint8_t block[4096], sink[65536];
	unsigned sent = 0, got = 0;
	struct vsock_header h = { 0 };
	ssize_t n;

	guest_connects(b);
	while (!b->vsock.want_write) {
		guest_sends(b, VSOCK_OP_RW, block, sizeof(block));
		sent += sizeof(block);
		assert_true(sent < 16 << 20);
	}
	while (b->vsock.stream.received - b->vsock.stream.forwarded <=
	       VSOCK_BUFFER - sizeof(block)) {
		guest_sends(b, VSOCK_OP_RW, block, sizeof(block));
		sent += sizeof(block);
	}
	assert_int_equal(b->vsock.stream.state, VSOCK_OPEN);
	while (guest_gets(b, &h) != NULL)
		;
	while ((n = read(b->host, sink, sizeof(sink))) > 0) {
		got += (unsigned)n;
		serve(b);
	}
	assert_int_equal(got, sent);
	assert_false(b->vsock.want_write);
}

static void reconnect_replaces(void **state)
{
	struct bench *b = *state;
	struct vsock_header h = { 0 };
	char got[16];

	guest_connects(b);
	guest_sends(b, VSOCK_OP_RW, "one", 3);
	guest_sends(b, VSOCK_OP_RST, NULL, 0);
	guest_connects(b);
	assert_int_equal(write(b->host, "two", 3), 3);
	serve(b);
	assert_non_null(guest_gets(b, &h));
	assert_int_equal(h.op, VSOCK_OP_RW);
	guest_sends(b, VSOCK_OP_RW, "three", 5);
	assert_int_equal(read(b->host, got, sizeof(got)), 8);
	assert_memory_equal(got, "onethree", 8);
}

static void driver_reset_ends_the_stream(void **state)
{
	struct bench *b = *state;

	guest_connects(b);
	for (unsigned q = 0; q < 3; q++)
		front_stop_queue(&b->front, q);
	serve(b);
	assert_int_equal(b->vsock.stream.state, VSOCK_CLOSED);
	for (unsigned q = 0; q < 3; q++)
		front_start_queue(&b->front, q, 0);
	b->rx_seen = 0;
	for (uint16_t i = 0; i < RX_BUFFERS; i++)
		offer_rx(b, i);
	guest_connects(b);
}

static void offer_tx(struct bench *b, uint32_t size, uint32_t header_len, uint32_t writable)
{
	struct vsock_header h = packet(VSOCK_OP_RW, header_len);

	front_stop_queue(&b->front, 1);
	front_start_queue(&b->front, 1, 0);
	vsock_header_encode(&h, b->front.ram + TX_AT);
	ring_desc(&b->front, 1, 0, FRONT_GPA + TX_AT, size, writable > 0 ? F_NEXT : 0, 1);
	ring_desc(&b->front, 1, 1, FRONT_GPA + TX_AT, writable, F_WRITE, 0);
	ring_offer(&b->front, 1, 0);
	serve(b);
}

static void bad_packets_break_tx(void **state)
{
	static const struct {
		uint32_t size, header_len, writable;
		bool broken;
	} table[] = {
		{ VSOCK_HEADER_SIZE + 50, 50, 0, false },
		{ VSOCK_HEADER_SIZE + 50, 51, 0, true },
		{ VSOCK_HEADER_SIZE + 50, 49, 0, true },
		{ VSOCK_HEADER_SIZE, UINT32_MAX, 0, true },
		{ VSOCK_HEADER_SIZE + VSOCK_PACKET_MAX + 1, VSOCK_PACKET_MAX + 1, 0, true },
		{ VSOCK_HEADER_SIZE - 1, 0, 0, true },
		{ VSOCK_HEADER_SIZE, 0, 1, true },
	};
	struct bench *b = *state;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		offer_tx(b, table[i].size, table[i].header_len, table[i].writable);
		if (b->front.server.queue[1].broken != table[i].broken)
			fail_msg("packet %zu", i);
		assert_false(b->front.server.queue[0].broken); /* the other queue lives */
	}
}

static void bad_buffers_break_rx(void **state)
{
	struct bench *b = *state;
	struct virtqueue *rx = &b->front.server.queue[0];

	/* No room for a header. */
	ring_desc(&b->front, 0, 0, FRONT_GPA + RX_AT(0), VSOCK_HEADER_SIZE - 1, F_WRITE, 0);
	guest_sends(b, VSOCK_OP_REQUEST, NULL, 0);
	assert_true(rx->broken);
	assert_false(b->front.server.queue[1].broken);
	/* A readable part. */
	front_stop_queue(&b->front, 0);
	front_start_queue(&b->front, 0, 0);
	ring_desc(&b->front, 0, 0, FRONT_GPA + RX_AT(0), 16, F_NEXT, 1);
	ring_desc(&b->front, 0, 1, FRONT_GPA + RX_AT(1), RX_SIZE, F_WRITE, 0);
	ring_offer(&b->front, 0, 0);
	serve(b);
	assert_true(rx->broken);
	assert_int_equal(ring_used_idx(&b->front, 0), 0);
}

static void closed_channel_shuts_down(void **state)
{
	struct bench *b = *state;
	struct vsock_header h = { 0 };

	guest_connects(b);
	shutdown(b->host, SHUT_RDWR);
	serve(b);
	assert_non_null(guest_gets(b, &h));
	assert_int_equal(h.op, VSOCK_OP_SHUTDOWN);
	assert_int_equal(h.flags, VSOCK_SHUTDOWN_BOTH);
	assert_false(b->vsock.want_read);
	guest_sends(b, VSOCK_OP_RST, NULL, 0);
	guest_sends(b, VSOCK_OP_REQUEST, NULL, 0);
	assert_non_null(guest_gets(b, &h));
	assert_int_equal(h.op, VSOCK_OP_RST);
}

#define DEVICE(f) cmocka_unit_test_setup_teardown(f, bench_open, bench_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		DEVICE(bytes_cross_both_ways),
		DEVICE(long_stream_to_the_guest),
		DEVICE(slow_host_holds_the_guest),
		DEVICE(reconnect_replaces),
		DEVICE(driver_reset_ends_the_stream),
		DEVICE(bad_packets_break_tx),
		DEVICE(bad_buffers_break_rx),
		DEVICE(closed_channel_shuts_down),
	};

	return cmocka_run_group_tests_name("vsock", tests, NULL, NULL);
}
