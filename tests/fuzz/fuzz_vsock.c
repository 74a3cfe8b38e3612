/* The vsock stream under arbitrary packets and arbitrary speeds of both sides. The input is a
 * list of steps: one byte that says what happens, then its operands (zeros when short).
 * Checked: buffers and answers are bounded, the host gets exactly the accepted bytes in order,
 * credit of the guest is kept, a closed stream owes nothing but its end. */
#include "common/bytes.h"
#include "devices/vsock_stream.h"

#include <stdlib.h>
#include <string.h>

#define CID 5u
#define PORT 1024u
#define STEPS 512u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct vsock_stream s;
static uint8_t next_in, next_out; /* payload is a running count: order is visible */

static void require(bool ok)
{
	if (!ok)
		abort();
}

static void check(void)
{
	size_t n;
	const uint8_t *p = vsock_stream_data(&s, &n);

	require(s.received - s.forwarded <= VSOCK_BUFFER);
	require(n <= VSOCK_BUFFER && p >= s.buffer && p + n <= s.buffer + VSOCK_BUFFER);
	require(s.stray_count <= VSOCK_STRAYS_MAX);
	require(vsock_stream_room(&s) <= s.guest_alloc);
	require(s.state != VSOCK_DRAINING || s.received != s.forwarded);
	require(s.state != VSOCK_CLOSED || s.received == s.forwarded);
	if (s.state != VSOCK_OPEN)
		require(!s.owe_response && !s.owe_credit && !s.owe_request && !s.owe_shutdown &&
			vsock_stream_room(&s) == 0);
}

static void put_packet(struct reader *r)
{
	static uint8_t payload[VSOCK_BUFFER + 16];
	uint8_t kind = read_u8(r);
	struct vsock_header h = { .src_cid = CID, .dst_cid = VSOCK_HOST_CID, .src_port = 9,
				  .dst_port = PORT, .type = VSOCK_TYPE_STREAM,
				  .op = kind % 10, .buf_alloc = 4096 };

	if ((kind & 0x80) != 0) { /* every field from the input */
		uint8_t raw[VSOCK_HEADER_SIZE];

		read_copy(r, raw, sizeof(raw));
		vsock_header_decode(raw, &h);
	} else {
		h.flags = read_u8(r);
		h.fwd_cnt = read_le16(r);
		h.src_port = 9u + (kind >> 6);
	}
	if (h.op == VSOCK_OP_RW)
		h.len = read_le32(r) % (uint32_t)sizeof(payload);
	else if (h.len > sizeof(payload))
		h.len = (uint32_t)sizeof(payload);
	uint32_t before = s.received;
	enum vsock_state state = s.state;
	for (uint32_t i = 0; i < h.len; i++)
		payload[i] = (uint8_t)(next_in + i);
	if (!vsock_stream_ready(&s))
		return;
	vsock_stream_put(&s, &h, payload);
	if (state == VSOCK_OPEN && s.state == VSOCK_OPEN) {
		uint32_t taken = s.received - before;

		require(taken == 0 || taken == h.len);
		next_in = (uint8_t)(next_in + taken);
		if (s.host_gone)
			next_out = next_in;
	}
}

static void take_data(struct reader *r)
{
	size_t n, want = read_le16(r);
	const uint8_t *p = vsock_stream_data(&s, &n);

	if (want > n)
		want = n;
	for (size_t i = 0; i < want; i++)
		require(p[i] == (uint8_t)(next_out + i));
	next_out = (uint8_t)(next_out + want);
	if (want > 0)
		vsock_stream_forward(&s, want);
}

static void send_data(struct reader *r)
{
	struct vsock_header h;
	uint32_t room = vsock_stream_room(&s), n = read_le16(r);

	if (n > room)
		n = room;
	if (n == 0)
		return;
	vsock_stream_send(&s, &h, n);
	require(h.op == VSOCK_OP_RW && h.len == n && vsock_stream_room(&s) == room - n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_over(data, size);
	struct vsock_header h;

	vsock_stream_init(&s, CID, PORT);
	next_in = next_out = 0;
	for (unsigned i = 0; i < STEPS && reader_left(&r) > 0; i++) {
		switch (read_u8(&r) % 8) {
		case 0:
		case 1:
		case 2:
			put_packet(&r);
			break;
		case 3:
			if (vsock_stream_take(&s, &h))
				require(h.len == 0 && h.dst_cid == CID);
			else
				require(!vsock_stream_waiting(&s));
			break;
		case 4:
			take_data(&r);
			break;
		case 5:
			send_data(&r);
			break;
		case 6:
			if (read_u8(&r) == 0)
				vsock_stream_host_gone(&s);
			if (s.host_gone)
				next_out = next_in;
			break;
		default:
			if (read_u8(&r) == 0)
				vsock_stream_reset(&s);
			break;
		}
		check();
	}
	return 0;
}
