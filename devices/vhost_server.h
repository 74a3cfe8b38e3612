/* The back end's side of vhost-user: one message at a time, decoded from a private copy.
 * Three kinds of wrong are kept apart:
 *   - a message that breaks its format (size, flags, queue number, descriptors missing or in
 *     excess) comes from a broken front end: fatal, the caller ends the process;
 *   - a request that is unknown, or not possible in this state: refused with a non-zero
 *     acknowledgement when the front end asked for one, else fatal (it would go unnoticed);
 *   - values that a guest chose and the VMM only carries (features, ring size, base,
 *     addresses): refused with a non-zero acknowledgement or silently, the queue does not run,
 *     never fatal.
 * Until `sealed`, messages are taken with their descriptors; afterwards with read(), which
 * cannot deliver any, and requests that need one are refused. */
#ifndef PAVISE_DEVICES_VHOST_SERVER_H
#define PAVISE_DEVICES_VHOST_SERVER_H

#include "devices/guest_memory.h"
#include "devices/vhost_proto.h"
#include "devices/virtqueue.h"

#define VHOST_QUEUES_MAX 3u

/* What the device offers; constant while the server lives. */
struct vhost_offer {
	uint64_t features; /* virtio feature bits; the server adds its own */
	unsigned queue_count;
	const uint8_t *config; /* device configuration space */
	uint32_t config_size;  /* bytes, at most VHOST_CONFIG_MAX */
};

struct vhost_server {
	int fd;
	struct vhost_offer offer;
	struct devlog *log;
	bool sealed;
	uint64_t features, protocol_features; /* acknowledged */
	struct guest_memory mem;
	struct virtqueue queue[VHOST_QUEUES_MAX];
	/* the message being received */
	uint8_t message[VHOST_HEADER_SIZE + VHOST_PAYLOAD_MAX];
	size_t have; /* bytes */
	int fds[VHOST_REGIONS_MAX];
	size_t fd_count;
};

/* fd (a stream socket) and log are borrowed; fd is made non-blocking: a front end that does not
 * read its replies is a broken one. *s must not move afterwards (the queues point into it). */
int vhost_server_init(struct vhost_server *s, int fd, const struct vhost_offer *offer,
		      struct devlog *log, struct err *e);

/* Takes what the socket holds now and handles at most one message. Call it when poll says
 * readable. 1: go on; 0: the front end closed; negative: fatal as above, -EX_MALFORMED, or
 * -EX_HOST when this host denied something. */
int vhost_server_input(struct vhost_server *s, struct err *e);

/* Is everything there that cannot come after sealing: memory and kick and call of each queue? */
int vhost_server_complete(const struct vhost_server *s, struct err *e);

/* Closes descriptors it was given and unmaps the memory. For tests and orderly ends. */
void vhost_server_close(struct vhost_server *s);

#endif
