#include "devices/vsock.h"

#include "common/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define RX 0u
#define TX 1u
#define BUDGET 256u /* packets moved before the caller looks at its other descriptors */

int vsock_init(struct vsock *v, int channel, uint64_t guest_cid, uint32_t port,
	       struct vhost_offer *offer, struct err *e)
{
	struct writer w = writer_over(v->config, sizeof(v->config));
	int flags = fcntl(channel, F_GETFL);

	if (flags < 0 || fcntl(channel, F_SETFL, flags | O_NONBLOCK) < 0)
		return err_errno(e, EX_HOST, errno, "channel: cannot set it up");
	v->channel = channel;
	v->want_read = v->want_write = false;
	vsock_stream_init(&v->stream, guest_cid, port);
	write_le64(&w, guest_cid);
	*offer = (struct vhost_offer){
		.queue_count = 3, .config = v->config, .config_size = sizeof(v->config) };
	return 0;
}

/* Guest's payload to the channel. */
static bool forward(struct vsock *v)
{
	bool progress = false;
	size_t n;
	const uint8_t *p = vsock_stream_data(&v->stream, &n);

	v->want_write = false;
	while (n > 0) {
		ssize_t done = write(v->channel, p, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0 && errno == EAGAIN) {
			v->want_write = true;
			break;
		}
		if (done < 0) {
			vsock_stream_host_gone(&v->stream);
			break;
		}
		vsock_stream_forward(&v->stream, (size_t)done);
		progress = true;
		p = vsock_stream_data(&v->stream, &n);
	}
	return progress;
}

/* The next rx buffer with room for a header and `payload` bytes at least. */
static bool take_rx(struct vsock *v, struct virtqueue *rx, uint32_t payload)
{
	if (!vq_peek(rx, &v->chain))
		return false;
	if (v->chain.readable != 0 || v->chain.writable < VSOCK_HEADER_SIZE + payload) {
		vq_break(rx, "receive buffer too small or readable");
		return false;
	}
	return true;
}

static void deliver(struct vsock *v, struct virtqueue *rx, const struct vsock_header *h)
{
	uint8_t raw[VSOCK_HEADER_SIZE];
	struct vq_cursor c = vq_writer(&v->chain);

	vsock_header_encode(h, raw);
	if (!vq_write(rx, &c, raw, sizeof(raw)) || !vq_write(rx, &c, v->packet, h->len)) {
		vq_break(rx, "receive buffer outside memory");
		return;
	}
	vq_done(rx, &v->chain, VSOCK_HEADER_SIZE + h->len);
}

/* One packet without payload to the guest. */
static bool answer(struct vsock *v, struct virtqueue *rx)
{
	struct vsock_header h;

	if (!vsock_stream_waiting(&v->stream) || !take_rx(v, rx, 0) ||
	    !vsock_stream_take(&v->stream, &h))
		return false;
	deliver(v, rx, &h);
	return true;
}

/* One packet of the host's bytes to the guest: read only what has a buffer and credit, so that
 * nothing of a stream that ends is held here. */
static bool pull(struct vsock *v, struct virtqueue *rx)
{
	struct vsock_header h;
	uint64_t room = vsock_stream_room(&v->stream);

	v->want_read = false;
	if (room == 0 || !take_rx(v, rx, 1))
		return false;
	if (room > v->chain.writable - VSOCK_HEADER_SIZE)
		room = v->chain.writable - VSOCK_HEADER_SIZE;
	if (room > sizeof(v->packet))
		room = sizeof(v->packet);
	ssize_t n = read(v->channel, v->packet, (size_t)room);
	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		v->want_read = true;
		return false; /* the chain stays available */
	}
	if (n <= 0) {
		vsock_stream_host_gone(&v->stream);
		return true;
	}
	vsock_stream_send(&v->stream, &h, (uint32_t)n);
	deliver(v, rx, &h);
	return true;
}

/* One packet from the guest. */
static bool push(struct vsock *v, struct virtqueue *tx)
{
	uint8_t raw[VSOCK_HEADER_SIZE];
	struct vsock_header h;

	if (!vsock_stream_ready(&v->stream) || !vq_peek(tx, &v->chain))
		return false;
	struct vq_cursor c = vq_reader(&v->chain);
	if (v->chain.writable != 0 || !vq_read(tx, &c, raw, sizeof(raw))) {
		vq_break(tx, "packet without header or with a writable part");
		return false;
	}
	vsock_header_decode(raw, &h);
	/* VSOCK_PACKET_MAX is all the credit there ever is: no valid packet is longer. */
	if (h.len != v->chain.readable - VSOCK_HEADER_SIZE || h.len > sizeof(v->packet) ||
	    !vq_read(tx, &c, v->packet, h.len)) {
		vq_break(tx, "packet length differs from its buffer or is too long");
		return false;
	}
	vsock_stream_put(&v->stream, &h, v->packet);
	vq_done(tx, &v->chain, 0);
	return true;
}

bool vsock_serve(struct vsock *v, struct virtqueue *queues)
{
	bool progress = true;

	/* Both queues stopped: the driver reset the device. */
	if (!queues[RX].configured && !queues[TX].configured)
		vsock_stream_reset(&v->stream);
	for (unsigned i = 0; progress && i < BUDGET; i++) {
		progress = forward(v);
		progress = answer(v, &queues[RX]) || progress;
		progress = pull(v, &queues[RX]) || progress;
		progress = push(v, &queues[TX]) || progress;
	}
	vq_notify(&queues[RX]);
	vq_notify(&queues[TX]);
	return progress;
}
