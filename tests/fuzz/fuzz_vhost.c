/* Any bytes as the answers of a back end, to a device's whole life. The bytes lie in the socket
 * before the first question, and its other end is shut: no question waits. What must hold: no
 * crash, an error leaves the connection dead, and a dead one stays dead. */
#include "vmm/virtio/vhost.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ANSWERS_MAX 4096

static int live(struct vhost *v, int fd, struct err *e)
{
	const struct memory memory = { .fd = STDERR_FILENO, .count = 1, .region = { { .size = 4096 } } };
	const struct vhost_ring ring = { 8, 0x1000, 0x2000, 0x3000 };
	uint8_t config[60];
	int r = vhost_connect(v, fd, e);

	if (r == 0)
		r = vhost_get_config(v, config, sizeof(config), e);
	if (r == 0)
		r = vhost_set_memory(v, &memory, e);
	if (r == 0)
		r = vhost_set_kick(v, 0, STDERR_FILENO, e);
	if (r == 0)
		r = vhost_set_features(v, v->features, e);
	if (r == 0)
		r = vhost_start_ring(v, 0, &ring, e);
	if (r == 0)
		r = vhost_stop_ring(v, 0, e);
	return r;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	signal(SIGPIPE, SIG_IGN);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vhost v;
	struct err e = { 0 }, again = { 0 };
	int pair[2];

	if (size > ANSWERS_MAX || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
		return 0;
	if (size != 0 && write(pair[1], data, size) != (ssize_t)size)
		abort();
	shutdown(pair[1], SHUT_WR);
	if (live(&v, pair[0], &e) != 0) {
		if (e.status != EX_INTERNAL || !v.dead || vhost_stop_ring(&v, 0, &again) == 0)
			abort();
	}
	close(pair[0]);
	close(pair[1]);
	return 0;
}
