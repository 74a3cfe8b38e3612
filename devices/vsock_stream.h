/* The one stream of the vsock device, as a state machine without queues or descriptors
 * (virtio 1.2 §5.10.6): the guest's agent connects to host CID 2, one fixed port. Packets go in,
 * packets come out, payload is buffered in one bounded ring until it is forwarded.
 *
 *   CLOSED --REQUEST--> OPEN --SHUTDOWN both, RST, or a broken rule--> DRAINING --all
 *   forwarded--> CLOSED.  OPEN --our side is gone--> SHUTDOWN sent --RST--> as above.
 *
 * Whatever was accepted from the guest is forwarded even when the stream ends. Everything that
 * is not for the one stream is answered by RST. */
#ifndef PAVISE_DEVICES_VSOCK_STREAM_H
#define PAVISE_DEVICES_VSOCK_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VSOCK_HEADER_SIZE 44u
#define VSOCK_HOST_CID 2u
#define VSOCK_BUFFER 65536u /* bytes from the guest not yet forwarded: our buf_alloc. 2^n */
#define VSOCK_STRAYS_MAX 16u

enum vsock_op { /* virtio 1.2 §5.10.6 */
	VSOCK_OP_INVALID = 0,
	VSOCK_OP_REQUEST = 1,
	VSOCK_OP_RESPONSE = 2,
	VSOCK_OP_RST = 3,
	VSOCK_OP_SHUTDOWN = 4,
	VSOCK_OP_RW = 5,
	VSOCK_OP_CREDIT_UPDATE = 6,
	VSOCK_OP_CREDIT_REQUEST = 7,
};
#define VSOCK_TYPE_STREAM 1u
#define VSOCK_SHUTDOWN_RECEIVE 1u /* the sender will not receive any more */
#define VSOCK_SHUTDOWN_SEND 2u    /* the sender will not send any more */
#define VSOCK_SHUTDOWN_BOTH 3u

struct vsock_header {
	uint64_t src_cid, dst_cid;
	uint32_t src_port, dst_port;
	uint32_t len; /* bytes of payload */
	uint16_t type, op;
	uint32_t flags;
	uint32_t buf_alloc, fwd_cnt; /* credit: §5.10.6.3 */
};

void vsock_header_decode(const uint8_t raw[VSOCK_HEADER_SIZE], struct vsock_header *h);
void vsock_header_encode(const struct vsock_header *h, uint8_t raw[VSOCK_HEADER_SIZE]);

enum vsock_state { VSOCK_CLOSED, VSOCK_OPEN, VSOCK_DRAINING };

struct vsock_stray {
	uint32_t guest_port, host_port;
};

struct vsock_stream {
	uint64_t guest_cid;
	uint32_t port; /* ours */
	bool host_gone; /* the channel was closed: nothing can be opened any more */
	enum vsock_state state;
	uint32_t guest_port;
	uint32_t guest_shutdown; /* VSOCK_SHUTDOWN_* bits received */
	/* host to guest; counters wrap (§5.10.6.3) */
	uint32_t sent, guest_alloc, guest_forwarded;
	/* guest to host */
	uint32_t received, forwarded, told; /* told: the fwd_cnt in our last packet */
	uint8_t buffer[VSOCK_BUFFER];
	/* packets that wait for room in the rx queue */
	bool owe_response, owe_credit, owe_request, owe_shutdown, owe_rst;
	unsigned stray_count;
	struct vsock_stray stray[VSOCK_STRAYS_MAX];
};

void vsock_stream_init(struct vsock_stream *s, uint64_t guest_cid, uint32_t port);

/* May a packet be put in? Not while as many answers wait as can be stored, and not while the
 * former stream is still ending: then a new request finds it closed, not busy. */
bool vsock_stream_ready(const struct vsock_stream *s);

/* One packet from the guest; payload (h->len bytes) is copied. Nothing a guest sends is fatal. */
void vsock_stream_put(struct vsock_stream *s, const struct vsock_header *h, const void *payload);

/* Is a packet without payload waiting? vsock_stream_take fills *h with it and forgets it. */
bool vsock_stream_waiting(const struct vsock_stream *s);
bool vsock_stream_take(struct vsock_stream *s, struct vsock_header *h);

/* Payload bytes the guest has room for; 0 when there is no open stream. */
uint32_t vsock_stream_room(const struct vsock_stream *s);
/* The header of an RW packet with n bytes, 1..room, which count as sent. */
void vsock_stream_send(struct vsock_stream *s, struct vsock_header *h, uint32_t n);

/* The next contiguous payload bytes for the host; *n 0: none. Borrowed until the next call. */
const uint8_t *vsock_stream_data(const struct vsock_stream *s, size_t *n);
/* n of them were forwarded. */
void vsock_stream_forward(struct vsock_stream *s, size_t n);

/* The host closed its end of the channel, for good. */
void vsock_stream_host_gone(struct vsock_stream *s);

/* The device was reset by its driver: the stream ends and nobody is told. */
void vsock_stream_reset(struct vsock_stream *s);

#endif
