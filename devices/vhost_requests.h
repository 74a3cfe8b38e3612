/* Between vhost_server.c (the stream, replies, acknowledgements) and vhost_requests.c (what each
 * request does). For those two only. */
#ifndef PAVISE_DEVICES_VHOST_REQUESTS_H
#define PAVISE_DEVICES_VHOST_REQUESTS_H

#include "devices/vhost_server.h"

/* What a request comes to; negative values are fatal (-EX_*). */
enum vhost_outcome {
	VHOST_DONE = 0,    /* acknowledged with 0 if asked */
	VHOST_REPLIED = 1, /* the reply was sent */
	VHOST_REFUSED = 2, /* acknowledged with 1 if asked, else fatal */
	VHOST_GUEST = 3,   /* a guest's bad value: acknowledged with 1 if asked, never fatal */
};

struct vhost_message {
	uint32_t request, flags, size;
	const uint8_t *payload; /* size bytes */
};

/* Checks form and descriptors (s->fds; a handler that keeps one sets it to -1) and does it. */
int vhost_request(struct vhost_server *s, const struct vhost_message *m, struct err *e);

/* Send a reply: VHOST_REPLIED, or -EX_MALFORMED when the front end takes none. */
int vhost_reply(struct vhost_server *s, uint32_t request, const void *payload, uint32_t size,
		struct err *e);
int vhost_reply_u64(struct vhost_server *s, uint32_t request, uint64_t value, struct err *e);

int vhost_set_nonblock(int fd, struct err *e);

#endif
