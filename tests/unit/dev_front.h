/* A front end in the same process, for tests of devices/: guest memory, its rings, messages. */
#ifndef PAVISE_TESTS_DEV_FRONT_H
#define PAVISE_TESTS_DEV_FRONT_H

#include "devices/vhost_server.h"

#define FRONT_RAM 0x100000u       /* bytes of guest memory */
#define FRONT_GPA 0x40000000ull   /* where the guest sees it */
#define FRONT_USER 0x7f0000000000ull /* the front end's name for it */
#define FRONT_QUEUE_SIZE 16u

/* Ring places of queue n, offsets into the memory. */
#define FRONT_DESC(n) ((size_t)0x1000 * (3 * (n) + 1))
#define FRONT_AVAIL(n) ((size_t)0x1000 * (3 * (n) + 2))
#define FRONT_USED(n) ((size_t)0x1000 * (3 * (n) + 3))
#define FRONT_DATA 0x10000u

#define F_NEXT 1u
#define F_WRITE 2u
#define F_INDIRECT 4u

struct front {
	int memfd;
	uint8_t *ram; /* the guest's own view */
	int sock, back; /* the two ends */
	bool remote;    /* the server is another process: replies are waited for */
	int kick[VHOST_QUEUES_MAX], call[VHOST_QUEUES_MAX];
	uint16_t avail_idx[VHOST_QUEUES_MAX];
	struct devlog log;
	struct vhost_server server;
};

/* A sealed memfd mapped at ram, and a server for the offer on a socketpair. */
void front_open(struct front *f, const struct vhost_offer *offer);
void front_close(struct front *f);

/* One message; the server takes it. Returns vhost_server_input's last result. */
int front_send(struct front *f, uint32_t request, uint32_t flags, const void *payload,
	       uint32_t size, const int *fds, size_t fd_count);
/* The pending reply's payload (at most max bytes); -1 when there is none. */
int front_reply(struct front *f, uint32_t request, void *payload, size_t max);
/* send with need_reply, then the acknowledgement. */
uint64_t front_ack(struct front *f, uint32_t request, const void *payload, uint32_t size,
		   const int *fds, size_t fd_count);

/* The whole set-up as the VMM does it, up to enabled rings of FRONT_QUEUE_SIZE entries. */
void front_setup_before_seal(struct front *f);
void front_start_queue(struct front *f, unsigned n, uint64_t features);
void front_stop_queue(struct front *f, unsigned n);

void ring_desc(struct front *f, unsigned n, uint16_t i, uint64_t gpa, uint32_t size,
	       uint16_t flags, uint16_t next);
void ring_offer(struct front *f, unsigned n, uint16_t head);
uint16_t ring_used_idx(const struct front *f, unsigned n);
/* Element i (taken modulo the size) of the used ring. */
void ring_used(const struct front *f, unsigned n, uint16_t i, uint32_t *id, uint32_t *size);
/* Was the queue's interrupt raised since the last call? */
int ring_interrupted(struct front *f, unsigned n);

#endif
