/* virtio-vsock (virtio 1.2 §5.10) for one purpose: the guest's agent reaches the host through
 * one stream, which is bridged to `channel`. Queue 0 rx (to the guest), 1 tx, 2 events (the
 * device never has one, the queue is not served). Bytes from the host wait in the channel's
 * socket while there is no stream; stream boundaries are not visible on the channel. */
#ifndef PAVISE_DEVICES_VSOCK_H
#define PAVISE_DEVICES_VSOCK_H

#include "devices/vhost_server.h"
#include "devices/vsock_stream.h"

#define VSOCK_CONFIG_SIZE 8u
#define VSOCK_PACKET_MAX 65536u /* payload bytes of one packet, either way */
#define VSOCK_CID_MIN 3u        /* 0..2 are reserved */
#define VSOCK_CID_MAX 0xFFFFFFFEu
#define VSOCK_PORT_MAX 0xFFFFFFFEu

struct vsock {
	int channel;
	bool want_read, want_write; /* what the channel should be polled for */
	struct vsock_stream stream;
	uint8_t config[VSOCK_CONFIG_SIZE];
	struct vq_chain chain;
	uint8_t packet[VSOCK_PACKET_MAX];
};

/* channel (borrowed): a stream socket, made non-blocking. guest_cid and port in the ranges
 * above. Fills *offer, which points into *v. */
int vsock_init(struct vsock *v, int channel, uint64_t guest_cid, uint32_t port,
	       struct vhost_offer *offer, struct err *e);

/* Moves what can be moved, a bounded amount. True: more may be waiting. Sets want_read and
 * want_write. queues: the device's three. */
bool vsock_serve(struct vsock *v, struct virtqueue *queues);

#endif
