/* The front end of vhost-user, for one back end ("Vhost-user Protocol" of QEMU's interop
 * documentation; numbers below are its message and bit numbers).
 *
 * The back end is another process and may be hostile: every answer is bounded, compared with
 * the one question it can belong to, and awaited for VHOST_WAIT_SECONDS a read at most two reads
 * long. After the first fault the connection is dead and every later call fails at once: the
 * stream may be out of step.
 *
 * Descriptors travel during set-up only; what is called at run time is plain read() and write(),
 * all that a sealed VMM may do. So the process must ignore SIGPIPE: a back end that has gone
 * costs its device, not the VMM. */
#ifndef PAVISE_VMM_VIRTIO_VHOST_H
#define PAVISE_VMM_VIRTIO_VHOST_H

#include "common/err.h"
#include "vmm/memory.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VHOST_WAIT_SECONDS 2
#define VHOST_HEADER_SIZE  12u
#define VHOST_PAYLOAD_MAX  288u /* the largest message: 12 + 256 bytes of configuration */
#define VHOST_CONFIG_MAX   256u

#define VHOST_VERSION      1u   /* header flags: version in bits 1..0 */
#define VHOST_REPLY        4u
#define VHOST_NEED_REPLY   8u

enum vhost_request {
	VHOST_GET_FEATURES = 1,
	VHOST_SET_FEATURES = 2,
	VHOST_SET_OWNER = 3,
	VHOST_SET_MEM_TABLE = 5,
	VHOST_SET_VRING_NUM = 8,
	VHOST_SET_VRING_ADDR = 9,
	VHOST_SET_VRING_BASE = 10,
	VHOST_GET_VRING_BASE = 11,
	VHOST_SET_VRING_KICK = 12,
	VHOST_SET_VRING_CALL = 13,
	VHOST_GET_PROTOCOL_FEATURES = 15,
	VHOST_SET_PROTOCOL_FEATURES = 16,
	VHOST_SET_VRING_ENABLE = 18,
	VHOST_GET_CONFIG = 24,
};

#define VHOST_F_PROTOCOL_FEATURES (1ull << 30)
#define VHOST_PROTOCOL_REPLY_ACK  (1ull << 3)
#define VHOST_PROTOCOL_CONFIG     (1ull << 9)

struct vhost {
	int fd;            /* SOCK_STREAM to the back end, borrowed */
	bool dead;
	bool reply_ack;    /* every question is confirmed */
	uint64_t features; /* virtio features the back end offers, its own bit 30 taken out */
};

struct vhost_ring {
	uint16_t size;                  /* entries */
	uint64_t desc, driver, device;  /* guest-physical, checked */
};

/* One message in memory. */
struct vhost_message {
	uint32_t request, flags, size;  /* size: payload bytes, at most VHOST_PAYLOAD_MAX */
	uint8_t payload[VHOST_PAYLOAD_MAX];
};

/* Writes m as it goes over the wire; out holds VHOST_HEADER_SIZE + VHOST_PAYLOAD_MAX bytes.
 * Returns the bytes used. */
size_t vhost_encode(const struct vhost_message *m, uint8_t *out);

/* Checks the 12 header bytes of an answer to `request`: version, reply flag, same request,
 * exactly payload_size bytes to follow. Pure. */
bool vhost_header_answers(const uint8_t *header, uint32_t request, uint32_t payload_size);

/* Every function below returns 0 or -EX_INTERNAL (the back end broke its promise). */

/* --- set-up, before sealing --- */

/* Sets the timeouts, learns features, takes ownership, agrees on REPLY_ACK and CONFIG. */
int vhost_connect(struct vhost *v, int fd, struct err *e);
/* Reads exactly size (1..VHOST_CONFIG_MAX) bytes of device configuration. */
int vhost_get_config(struct vhost *v, void *out, uint32_t size, struct err *e);
/* Shares guest RAM. "User addresses" are guest-physical ones: both sides only compare them, and
 * so no address of this process leaves it. */
int vhost_set_memory(struct vhost *v, const struct memory *m, struct err *e);
int vhost_set_kick(struct vhost *v, unsigned queue, int eventfd, struct err *e);
int vhost_set_call(struct vhost *v, unsigned queue, int eventfd, struct err *e);

/* --- also at run time --- */

int vhost_set_features(struct vhost *v, uint64_t features, struct err *e);
int vhost_start_ring(struct vhost *v, unsigned queue, const struct vhost_ring *r, struct err *e);
/* Returns once the back end has confirmed that it no longer touches the ring. */
int vhost_stop_ring(struct vhost *v, unsigned queue, struct err *e);

#endif
