/* virtio-blk (virtio 1.2 §5.2), one queue: IN, OUT, FLUSH, GET_ID on a regular file.
 * Data goes through a private buffer: pread into it, then copy out; copy in, then pwrite. One
 * more copy than iovecs into guest memory would cost, and the rule that guest memory has no
 * pointers keeps no exception, also when only part of it will be shared (confidential guests). */
#ifndef PAVISE_DEVICES_BLK_H
#define PAVISE_DEVICES_BLK_H

#include "devices/vhost_server.h"

#define BLK_SECTOR 512u
#define BLK_CONFIG_SIZE 60u       /* struct virtio_blk_config up to and without zoned fields */
#define BLK_SEG_MAX 126u          /* data segments of one request */
#define BLK_SIZE_MAX 65536u       /* bytes of one segment */
#define BLK_REQUEST_MAX ((uint64_t)BLK_SEG_MAX * BLK_SIZE_MAX) /* data bytes of one request */
#define BLK_BUFFER 65536u         /* bytes moved by one pread or pwrite */
#define BLK_ID_SIZE 20u

struct blk {
	int disk;
	bool readonly;
	uint64_t sectors; /* capacity */
	uint8_t config[BLK_CONFIG_SIZE];
	struct vq_chain chain;
	uint8_t buffer[BLK_BUFFER];
};

/* disk (borrowed): a regular file, whole sectors, at least one, opened for reading only exactly
 * when readonly is set. -EX_HOST when it is not so. Fills *offer, which points into *b. */
int blk_init(struct blk *b, int disk, bool readonly, struct vhost_offer *offer, struct err *e);

/* Serves some requests, a bounded amount. True: more may be waiting. */
bool blk_serve(struct blk *b, struct virtqueue *queue);

#endif
