#include "devices/vsock_stream.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define CID 7u
#define PORT 1024u
#define GUEST_PORT 50000u
#define GUEST_ALLOC 4096u

static struct vsock_stream stream;

static struct vsock_header packet(uint16_t op, uint32_t len)
{
	return (struct vsock_header){ .src_cid = CID, .dst_cid = VSOCK_HOST_CID,
				      .src_port = GUEST_PORT, .dst_port = PORT, .len = len,
				      .type = VSOCK_TYPE_STREAM, .op = op,
				      .buf_alloc = GUEST_ALLOC };
}

static void put(uint16_t op)
{
	struct vsock_header h = packet(op, 0);

	vsock_stream_put(&stream, &h, NULL);
}

static void put_data(uint32_t len)
{
	static uint8_t zeros[VSOCK_BUFFER * 2];
	struct vsock_header h = packet(VSOCK_OP_RW, len);

	vsock_stream_put(&stream, &h, zeros);
}

/* The operation of the next packet; 0: none. */
static uint16_t take(void)
{
	struct vsock_header h;

	return vsock_stream_take(&stream, &h) ? h.op : 0;
}

static int fresh_stream(void **state)
{
	(void)state;
	vsock_stream_init(&stream, CID, PORT);
	return 0;
}

static int open_stream(void **state)
{
	fresh_stream(state);
	put(VSOCK_OP_REQUEST);
	return take() == VSOCK_OP_RESPONSE && stream.state == VSOCK_OPEN ? 0 : -1;
}

static void request_is_answered(void **state)
{
	struct vsock_header h;

	(void)state;
	put(VSOCK_OP_REQUEST);
	assert_int_equal(vsock_stream_room(&stream), 0); /* no data before the response */
	assert_true(vsock_stream_take(&stream, &h));
	assert_int_equal(h.op, VSOCK_OP_RESPONSE);
	assert_int_equal(h.src_cid, VSOCK_HOST_CID);
	assert_int_equal(h.dst_cid, CID);
	assert_int_equal(h.src_port, PORT);
	assert_int_equal(h.dst_port, GUEST_PORT);
	assert_int_equal(h.type, VSOCK_TYPE_STREAM);
	assert_int_equal(h.buf_alloc, VSOCK_BUFFER);
	assert_int_equal(vsock_stream_room(&stream), GUEST_ALLOC);
	assert_int_equal(take(), 0);
}

static void other_port_is_reset(void **state)
{
	struct vsock_header h = packet(VSOCK_OP_REQUEST, 0), got;

	(void)state;
	h.dst_port = PORT + 1;
	vsock_stream_put(&stream, &h, NULL);
	assert_int_equal(stream.state, VSOCK_CLOSED);
	assert_true(vsock_stream_take(&stream, &got));
	assert_int_equal(got.op, VSOCK_OP_RST);
	assert_int_equal(got.src_port, PORT + 1);
	assert_int_equal(got.dst_port, GUEST_PORT);
}

static void second_connection_is_reset(void **state)
{
	struct vsock_header h = packet(VSOCK_OP_REQUEST, 0), got;

	(void)state;
	h.src_port = GUEST_PORT + 1;
	vsock_stream_put(&stream, &h, NULL);
	assert_int_equal(stream.state, VSOCK_OPEN);
	assert_int_equal(stream.guest_port, GUEST_PORT);
	assert_true(vsock_stream_take(&stream, &got));
	assert_int_equal(got.op, VSOCK_OP_RST);
	assert_int_equal(got.dst_port, GUEST_PORT + 1);
	/* Data of the refused one does not enter the stream. */
	h.op = VSOCK_OP_RW;
	h.len = 4;
	vsock_stream_put(&stream, &h, "evil");
	assert_int_equal(stream.received, 0);
}

static void foreign_addresses_are_ignored(void **state)
{
	struct vsock_header h = packet(VSOCK_OP_REQUEST, 0);

	(void)state;
	h.src_cid = CID + 1;
	vsock_stream_put(&stream, &h, NULL);
	h = packet(VSOCK_OP_REQUEST, 0);
	h.dst_cid = 3;
	vsock_stream_put(&stream, &h, NULL);
	assert_int_equal(stream.state, VSOCK_CLOSED);
	assert_false(vsock_stream_waiting(&stream));
}

static void closed_stream_answers_with_reset(void **state)
{
	static const uint16_t ops[] = { VSOCK_OP_INVALID, VSOCK_OP_RESPONSE, VSOCK_OP_SHUTDOWN,
					VSOCK_OP_CREDIT_UPDATE, VSOCK_OP_CREDIT_REQUEST, 8,
					0xFFFF };

	(void)state;
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		put(ops[i]);
		assert_int_equal(take(), VSOCK_OP_RST);
	}
	put_data(10);
	assert_int_equal(take(), VSOCK_OP_RST);
	put(VSOCK_OP_RST); /* the one that is not answered */
	assert_int_equal(take(), 0);
	struct vsock_header h = packet(VSOCK_OP_REQUEST, 0);
	h.type = 2; /* SEQPACKET was not offered */
	vsock_stream_put(&stream, &h, NULL);
	assert_int_equal(take(), VSOCK_OP_RST);
	assert_int_equal(stream.state, VSOCK_CLOSED);
}

static void broken_rules_end_the_stream(void **state)
{
	static const uint16_t ops[] = { VSOCK_OP_INVALID, VSOCK_OP_REQUEST, VSOCK_OP_RESPONSE, 99 };

	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		assert_int_equal(open_stream(state), 0);
		put(ops[i]);
		assert_int_equal(stream.state, VSOCK_CLOSED);
		assert_int_equal(take(), VSOCK_OP_RST);
		assert_int_equal(take(), 0);
	}
	/* Payload where none belongs. */
	assert_int_equal(open_stream(state), 0);
	struct vsock_header h = packet(VSOCK_OP_CREDIT_UPDATE, 1);
	vsock_stream_put(&stream, &h, "x");
	assert_int_equal(stream.state, VSOCK_CLOSED);
}

static void credit_we_grant_is_a_bound(void **state)
{
	put_data(VSOCK_BUFFER);
	assert_int_equal(stream.state, VSOCK_OPEN);
	put_data(1);
	assert_int_equal(stream.state, VSOCK_DRAINING);
	assert_int_equal(stream.received, VSOCK_BUFFER);
	assert_int_equal(take(), VSOCK_OP_RST);
	assert_int_equal(open_stream(state), 0);
	put_data(VSOCK_BUFFER + 1);
	assert_int_equal(stream.received, 0);
	assert_int_equal(stream.state, VSOCK_CLOSED);
}

static void forwarding_gives_credit_back(void **state)
{
	struct vsock_header h;

	(void)state;
	put_data(VSOCK_BUFFER);
	vsock_stream_forward(&stream, VSOCK_BUFFER / 4 - 1);
	assert_int_equal(take(), 0);
	vsock_stream_forward(&stream, 1);
	assert_true(vsock_stream_take(&stream, &h));
	assert_int_equal(h.op, VSOCK_OP_CREDIT_UPDATE);
	assert_int_equal(h.fwd_cnt, VSOCK_BUFFER / 4);
	assert_int_equal(take(), 0); /* told once */
	put_data(VSOCK_BUFFER / 4);
	assert_int_equal(stream.state, VSOCK_OPEN);
	put(VSOCK_OP_CREDIT_REQUEST);
	assert_int_equal(take(), VSOCK_OP_CREDIT_UPDATE);
}

static void guest_credit_is_a_bound(void **state)
{
	struct vsock_header h;

	(void)state;
	vsock_stream_send(&stream, &h, 4000);
	assert_int_equal(h.op, VSOCK_OP_RW);
	assert_int_equal(h.len, 4000);
	assert_int_equal(vsock_stream_room(&stream), GUEST_ALLOC - 4000);
	vsock_stream_send(&stream, &h, 96);
	assert_int_equal(vsock_stream_room(&stream), 0);
	assert_int_equal(take(), VSOCK_OP_CREDIT_REQUEST);
	h = packet(VSOCK_OP_CREDIT_UPDATE, 0);
	h.fwd_cnt = 1000;
	vsock_stream_put(&stream, &h, NULL);
	assert_int_equal(vsock_stream_room(&stream), 1000);
	h.fwd_cnt = 5000; /* more than it ever got */
	vsock_stream_put(&stream, &h, NULL);
	assert_int_equal(vsock_stream_room(&stream), 0);
	h.fwd_cnt = 4096;
	h.buf_alloc = 0;
	vsock_stream_put(&stream, &h, NULL);
	assert_int_equal(vsock_stream_room(&stream), 0);
	h.buf_alloc = UINT32_MAX;
	vsock_stream_put(&stream, &h, NULL);
	assert_int_equal(vsock_stream_room(&stream), UINT32_MAX);
}

static void counters_wrap(void **state)
{
	struct vsock_header h;

	(void)state;
	stream.sent = stream.guest_forwarded = UINT32_MAX - 10;
	vsock_stream_send(&stream, &h, 100);
	assert_int_equal(vsock_stream_room(&stream), GUEST_ALLOC - 100);
	stream.received = stream.forwarded = stream.told = 0u - VSOCK_BUFFER / 2;
	put_data(VSOCK_BUFFER);
	assert_int_equal(stream.state, VSOCK_OPEN);
	size_t total = 0, n;
	for (;;) {
		vsock_stream_data(&stream, &n);
		if (n == 0)
			break;
		vsock_stream_forward(&stream, n);
		total += n;
	}
	assert_int_equal(total, VSOCK_BUFFER);
	put_data(VSOCK_BUFFER + 1);
	assert_int_equal(stream.state, VSOCK_CLOSED);
}

static void shutdown_halves(void **state)
{
	struct vsock_header h = packet(VSOCK_OP_SHUTDOWN, 0);

	h.flags = VSOCK_SHUTDOWN_SEND;
	vsock_stream_put(&stream, &h, NULL);
	assert_int_equal(stream.state, VSOCK_OPEN);
	assert_int_equal(vsock_stream_room(&stream), GUEST_ALLOC);
	h.flags = VSOCK_SHUTDOWN_RECEIVE;
	vsock_stream_put(&stream, &h, NULL);
	assert_int_equal(stream.state, VSOCK_CLOSED);
	assert_int_equal(take(), VSOCK_OP_RST);

	assert_int_equal(open_stream(state), 0);
	vsock_stream_put(&stream, &h, NULL);
	assert_int_equal(stream.state, VSOCK_OPEN);
	assert_int_equal(vsock_stream_room(&stream), 0); /* it receives no more */
	put_data(5);
	assert_int_equal(stream.received, 5);

	assert_int_equal(open_stream(state), 0);
	h.flags = VSOCK_SHUTDOWN_SEND;
	vsock_stream_put(&stream, &h, NULL);
	put_data(5); /* after it said it would not */
	assert_int_equal(stream.state, VSOCK_CLOSED);
	assert_int_equal(stream.received, 0);
}

static void end_waits_for_what_was_accepted(void **state)
{
	struct vsock_header h = packet(VSOCK_OP_SHUTDOWN, 0);

	(void)state;
	put_data(100);
	h.flags = VSOCK_SHUTDOWN_BOTH;
	vsock_stream_put(&stream, &h, NULL);
	assert_int_equal(stream.state, VSOCK_DRAINING);
	assert_int_equal(take(), VSOCK_OP_RST);
	assert_false(vsock_stream_ready(&stream)); /* a reconnect waits, it is not refused */
	vsock_stream_forward(&stream, 100);
	assert_true(vsock_stream_ready(&stream));
	put(VSOCK_OP_REQUEST);
	assert_int_equal(take(), VSOCK_OP_RESPONSE);
	assert_int_equal(stream.forwarded, 0);
}

static void answers_are_bounded(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3 * VSOCK_STRAYS_MAX; i++) {
		assert_int_equal(vsock_stream_ready(&stream), i < VSOCK_STRAYS_MAX);
		put(VSOCK_OP_CREDIT_UPDATE);
	}
	for (unsigned i = 0; i < VSOCK_STRAYS_MAX; i++)
		assert_int_equal(take(), VSOCK_OP_RST);
	assert_int_equal(take(), 0);
}

static void host_end_shuts_down(void **state)
{
	(void)state;
	vsock_stream_host_gone(&stream);
	assert_int_equal(take(), VSOCK_OP_SHUTDOWN);
	assert_int_equal(vsock_stream_room(&stream), 0);
	put_data(10); /* was under way: taken and dropped */
	assert_int_equal(stream.state, VSOCK_OPEN);
	put(VSOCK_OP_RST);
	assert_int_equal(stream.state, VSOCK_CLOSED);
	put(VSOCK_OP_REQUEST);
	assert_int_equal(take(), VSOCK_OP_RST);
}

static void header_bytes(void **state)
{
	struct vsock_header h = { 0x1, 0x2, 0x3, 0x4, 0x5, 0x6, 0x7, 0x8, 0x9, 0xA }, back;
	static const uint8_t expected[VSOCK_HEADER_SIZE] = {
		1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 4, 0,
		0, 0, 5, 0, 0, 0, 6, 0, 7, 0, 8, 0, 0, 0, 9, 0, 0, 0, 0xA, 0, 0, 0 };
	uint8_t raw[VSOCK_HEADER_SIZE];

	(void)state;
	vsock_header_encode(&h, raw);
	assert_memory_equal(raw, expected, sizeof(raw));
	vsock_header_decode(raw, &back);
	assert_memory_equal(&h, &back, sizeof(h));
}

#define MACHINE(f) cmocka_unit_test_setup(f, fresh_stream)
#define OPENED(f) cmocka_unit_test_setup(f, open_stream)

int main(void)
{
	const struct CMUnitTest tests[] = {
		MACHINE(header_bytes),
		MACHINE(request_is_answered),
		MACHINE(other_port_is_reset),
		OPENED(second_connection_is_reset),
		MACHINE(foreign_addresses_are_ignored),
		MACHINE(closed_stream_answers_with_reset),
		MACHINE(broken_rules_end_the_stream),
		OPENED(credit_we_grant_is_a_bound),
		OPENED(forwarding_gives_credit_back),
		OPENED(guest_credit_is_a_bound),
		OPENED(counters_wrap),
		OPENED(shutdown_halves),
		OPENED(end_waits_for_what_was_accepted),
		MACHINE(answers_are_bounded),
		OPENED(host_end_shuts_down),
	};

	return cmocka_run_group_tests_name("vsock_stream", tests, NULL, NULL);
}
