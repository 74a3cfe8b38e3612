#include "devices/vsock_stream.h"

#include "common/bytes.h"

#include <string.h>

_Static_assert((VSOCK_BUFFER & (VSOCK_BUFFER - 1)) == 0, "counters wrap at 2^32: a divisor of it");

void vsock_header_decode(const uint8_t raw[VSOCK_HEADER_SIZE], struct vsock_header *h)
{
	struct reader r = reader_over(raw, VSOCK_HEADER_SIZE);

	h->src_cid = read_le64(&r);
	h->dst_cid = read_le64(&r);
	h->src_port = read_le32(&r);
	h->dst_port = read_le32(&r);
	h->len = read_le32(&r);
	h->type = read_le16(&r);
	h->op = read_le16(&r);
	h->flags = read_le32(&r);
	h->buf_alloc = read_le32(&r);
	h->fwd_cnt = read_le32(&r);
}

void vsock_header_encode(const struct vsock_header *h, uint8_t raw[VSOCK_HEADER_SIZE])
{
	struct writer w = writer_over(raw, VSOCK_HEADER_SIZE);

	write_le64(&w, h->src_cid);
	write_le64(&w, h->dst_cid);
	write_le32(&w, h->src_port);
	write_le32(&w, h->dst_port);
	write_le32(&w, h->len);
	write_le16(&w, h->type);
	write_le16(&w, h->op);
	write_le32(&w, h->flags);
	write_le32(&w, h->buf_alloc);
	write_le32(&w, h->fwd_cnt);
}

void vsock_stream_init(struct vsock_stream *s, uint64_t guest_cid, uint32_t port)
{
	memset(s, 0, sizeof(*s));
	s->guest_cid = guest_cid;
	s->port = port;
}

static uint32_t buffered(const struct vsock_stream *s)
{
	return s->received - s->forwarded;
}

bool vsock_stream_ready(const struct vsock_stream *s)
{
	return s->stray_count < VSOCK_STRAYS_MAX && s->state != VSOCK_DRAINING && !s->owe_rst;
}

static void add_stray(struct vsock_stream *s, uint32_t guest_port, uint32_t host_port)
{
	if (s->stray_count < VSOCK_STRAYS_MAX)
		s->stray[s->stray_count++] = (struct vsock_stray){ guest_port, host_port };
}

/* The stream ends; with_rst: the guest still has to be told. */
static void end_stream(struct vsock_stream *s, bool with_rst)
{
	s->owe_response = s->owe_credit = s->owe_request = s->owe_shutdown = false;
	s->owe_rst = with_rst;
	s->state = buffered(s) > 0 ? VSOCK_DRAINING : VSOCK_CLOSED;
}

static void open_stream(struct vsock_stream *s, const struct vsock_header *h)
{
	s->state = VSOCK_OPEN;
	s->guest_port = h->src_port;
	s->guest_shutdown = 0;
	s->sent = s->received = s->forwarded = s->told = 0;
	s->owe_response = true;
}

static void put_request(struct vsock_stream *s, const struct vsock_header *h)
{
	if (s->state == VSOCK_CLOSED && !s->host_gone && h->dst_port == s->port) {
		open_stream(s, h);
		s->guest_alloc = h->buf_alloc;
		s->guest_forwarded = h->fwd_cnt;
		return;
	}
	add_stray(s, h->src_port, h->dst_port);
}

static void put_payload(struct vsock_stream *s, const struct vsock_header *h, const uint8_t *p)
{
	/* More than the credit it was given, or data after it said there would be none. */
	if (h->len > VSOCK_BUFFER - buffered(s) || (s->guest_shutdown & VSOCK_SHUTDOWN_SEND) != 0) {
		end_stream(s, true);
		return;
	}
	for (uint32_t done = 0; done < h->len;) {
		uint32_t at = s->received % VSOCK_BUFFER;
		uint32_t n = h->len - done;

		if (n > VSOCK_BUFFER - at)
			n = VSOCK_BUFFER - at;
		memcpy(s->buffer + at, p + done, n);
		s->received += n;
		done += n;
	}
	if (s->host_gone)
		s->forwarded = s->received;
}

/* A packet of the open stream. */
static void put_open(struct vsock_stream *s, const struct vsock_header *h, const void *payload)
{
	s->guest_alloc = h->buf_alloc;
	s->guest_forwarded = h->fwd_cnt;
	if (h->op != VSOCK_OP_RW && h->len != 0) {
		end_stream(s, true);
		return;
	}
	switch (h->op) {
	case VSOCK_OP_RST:
		end_stream(s, false);
		break;
	case VSOCK_OP_SHUTDOWN:
		/* §5.10.6.5: the bits stay; when both are there the stream is over, RST says so. */
		s->guest_shutdown |= h->flags & VSOCK_SHUTDOWN_BOTH;
		if (s->guest_shutdown == VSOCK_SHUTDOWN_BOTH)
			end_stream(s, true);
		break;
	case VSOCK_OP_RW:
		put_payload(s, h, payload);
		break;
	case VSOCK_OP_CREDIT_UPDATE:
		break;
	case VSOCK_OP_CREDIT_REQUEST:
		s->owe_credit = true;
		break;
	default: /* RESPONSE, a second REQUEST, unknown */
		end_stream(s, true);
		break;
	}
}

void vsock_stream_put(struct vsock_stream *s, const struct vsock_header *h, const void *payload)
{
	/* Other addresses: no such stream, and nobody to answer (as §5.10.6 for unknown CIDs). */
	if (h->src_cid != s->guest_cid || h->dst_cid != VSOCK_HOST_CID)
		return;
	bool ours = h->type == VSOCK_TYPE_STREAM && h->dst_port == s->port &&
		    h->src_port == s->guest_port && s->state == VSOCK_OPEN;
	if (ours)
		put_open(s, h, payload);
	else if (h->op == VSOCK_OP_REQUEST && h->type == VSOCK_TYPE_STREAM && h->len == 0)
		put_request(s, h);
	else if (h->op != VSOCK_OP_RST) /* a RST is never answered by another */
		add_stray(s, h->src_port, h->dst_port);
}

bool vsock_stream_waiting(const struct vsock_stream *s)
{
	return s->owe_response || s->owe_credit || s->owe_request || s->owe_shutdown ||
	       s->owe_rst || s->stray_count > 0;
}

static void fill(struct vsock_stream *s, struct vsock_header *h, uint16_t op)
{
	*h = (struct vsock_header){
		.src_cid = VSOCK_HOST_CID,
		.dst_cid = s->guest_cid,
		.src_port = s->port,
		.dst_port = s->guest_port,
		.type = VSOCK_TYPE_STREAM,
		.op = op,
		.buf_alloc = VSOCK_BUFFER,
		.fwd_cnt = s->forwarded,
	};
	/* Every packet carries the count, so a credit update that waits is told with it. */
	s->told = s->forwarded;
	s->owe_credit = false;
}

static void fill_stray(struct vsock_stream *s, struct vsock_header *h)
{
	*h = (struct vsock_header){
		.src_cid = VSOCK_HOST_CID,
		.dst_cid = s->guest_cid,
		.src_port = s->stray[0].host_port,
		.dst_port = s->stray[0].guest_port,
		.type = VSOCK_TYPE_STREAM,
		.op = VSOCK_OP_RST,
	};
	s->stray_count--;
	memmove(s->stray, s->stray + 1, s->stray_count * sizeof(s->stray[0]));
}

/* In the order in which the guest must see them: an answer before what follows it. */
bool vsock_stream_take(struct vsock_stream *s, struct vsock_header *h)
{
	if (s->owe_rst) {
		s->owe_rst = false;
		fill(s, h, VSOCK_OP_RST);
	} else if (s->owe_response) {
		s->owe_response = false;
		fill(s, h, VSOCK_OP_RESPONSE);
	} else if (s->stray_count > 0) {
		fill_stray(s, h);
	} else if (s->owe_shutdown) {
		s->owe_shutdown = false;
		fill(s, h, VSOCK_OP_SHUTDOWN);
		h->flags = VSOCK_SHUTDOWN_BOTH;
	} else if (s->owe_request) {
		s->owe_request = false;
		fill(s, h, VSOCK_OP_CREDIT_REQUEST);
	} else if (s->owe_credit) {
		fill(s, h, VSOCK_OP_CREDIT_UPDATE);
	} else {
		return false;
	}
	return true;
}

uint32_t vsock_stream_room(const struct vsock_stream *s)
{
	uint32_t in_flight = s->sent - s->guest_forwarded;

	if (s->state != VSOCK_OPEN || s->owe_response || s->host_gone ||
	    (s->guest_shutdown & VSOCK_SHUTDOWN_RECEIVE) != 0)
		return 0;
	/* A guest that claims to have forwarded more than it got has no room. */
	return in_flight < s->guest_alloc ? s->guest_alloc - in_flight : 0;
}

void vsock_stream_send(struct vsock_stream *s, struct vsock_header *h, uint32_t n)
{
	fill(s, h, VSOCK_OP_RW);
	h->len = n;
	s->sent += n;
	if (vsock_stream_room(s) == 0)
		s->owe_request = true;
}

const uint8_t *vsock_stream_data(const struct vsock_stream *s, size_t *n)
{
	uint32_t at = s->forwarded % VSOCK_BUFFER;
	uint32_t count = buffered(s);

	*n = count < VSOCK_BUFFER - at ? count : VSOCK_BUFFER - at;
	return s->buffer + at;
}

void vsock_stream_forward(struct vsock_stream *s, size_t n)
{
	s->forwarded += (uint32_t)n;
	/* A quarter: few packets, and the guest never waits for credit that is already there. */
	if (s->state == VSOCK_OPEN && s->forwarded - s->told >= VSOCK_BUFFER / 4)
		s->owe_credit = true;
	if (s->state == VSOCK_DRAINING && buffered(s) == 0)
		s->state = VSOCK_CLOSED;
}

void vsock_stream_host_gone(struct vsock_stream *s)
{
	if (s->host_gone)
		return;
	s->host_gone = true;
	s->forwarded = s->received; /* nobody is left to take it */
	if (s->state == VSOCK_OPEN)
		s->owe_shutdown = true;
	else
		s->state = VSOCK_CLOSED;
}

void vsock_stream_reset(struct vsock_stream *s)
{
	s->stray_count = 0;
	end_stream(s, false);
}
