/* One split virtqueue, device side (virtio 1.2 §2.7). The driver is hostile: each descriptor is
 * read exactly once into a private array, a chain has at most as many descriptors as the queue,
 * and whatever breaks a rule marks the queue broken: it is not served again until the front end
 * stops it (VHOST_USER_GET_VRING_BASE), which is how a driver resets it.
 *
 * Served strictly in order with one chain in flight: vq_peek shows the next chain, vq_done
 * returns it. So used index == available index taken, and a stopped queue loses nothing. */
#ifndef PAVISE_DEVICES_VIRTQUEUE_H
#define PAVISE_DEVICES_VIRTQUEUE_H

#include "devices/devlog.h"
#include "devices/guest_memory.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VQ_SIZE_MAX 256u
#define VQ_CHAIN_BYTES_MAX (1ull << 32) /* virtio 1.2 §2.7.4.2: no chain longer than 2^32 bytes */

struct vq_segment {
	uint64_t gpa;
	uint32_t size; /* bytes, at least 1 */
};

/* A private, checked copy of one descriptor chain: readable segments, then writable ones, all
 * inside guest memory. */
struct vq_chain {
	uint16_t head;
	unsigned readable_count, count; /* segments; [readable_count, count) are writable */
	uint64_t readable, writable;    /* bytes */
	struct vq_segment segment[VQ_SIZE_MAX];
};

/* A position in the readable or the writable part of a chain. */
struct vq_cursor {
	const struct vq_chain *chain;
	unsigned index, end; /* segments */
	uint32_t offset;     /* bytes into segment[index] */
};

struct virtqueue {
	const struct guest_memory *mem;
	struct devlog *log;
	unsigned number;           /* for log lines */
	uint32_t size;             /* entries: 0 (not set) or a power of two up to VQ_SIZE_MAX */
	uint64_t desc, avail, used; /* GPAs, valid when configured */
	bool configured;           /* size and addresses are set and were inside memory */
	bool enabled;              /* by the front end */
	bool broken;
	bool dirty;                /* returned chains since the last vq_notify */
	uint16_t next;             /* next available entry to take; also our used index */
	int kick, call, err;       /* eventfds, -1 when not there */
};

/* An unconfigured queue without descriptors. mem and log are borrowed. */
void vq_init(struct virtqueue *q, unsigned number, const struct guest_memory *mem,
	     struct devlog *log);

/* Sets the ring addresses (GPAs). False, and not configured, when size is unset, one is not
 * aligned (virtio 1.2 §2.7: 16, 2, 4) or a ring does not lie inside memory. */
bool vq_configure(struct virtqueue *q, uint64_t desc, uint64_t avail, uint64_t used);

/* Forgets addresses, enablement and the broken mark; keeps the eventfds. */
void vq_stop(struct virtqueue *q);

/* Is it to be served at all? */
bool vq_running(const struct virtqueue *q);

/* Marks it broken and says so once; signals the err eventfd. */
void vq_break(struct virtqueue *q, const char *why);

/* Copies the next available chain into *out. False: nothing there, or the queue is (now)
 * broken or not running. Taking the same chain again reads it afresh. */
bool vq_peek(struct virtqueue *q, struct vq_chain *out);

/* Returns the chain last peeked, with `written` bytes written to its writable part. */
void vq_done(struct virtqueue *q, const struct vq_chain *chain, uint32_t written);

/* Signals the driver if chains were returned and it did not ask for silence. */
void vq_notify(struct virtqueue *q);

struct vq_cursor vq_reader(const struct vq_chain *chain);
struct vq_cursor vq_writer(const struct vq_chain *chain);

/* Copies exactly size bytes from the readable part, or into the writable part, and moves on.
 * False when fewer are left: how much was copied is then unspecified. */
bool vq_read(const struct virtqueue *q, struct vq_cursor *c, void *out, size_t size);
bool vq_write(const struct virtqueue *q, struct vq_cursor *c, const void *data, size_t size);

#endif
