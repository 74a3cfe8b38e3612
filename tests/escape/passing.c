/* Descriptors smuggled over a socket. */
#include "tests/escape/attempt.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

union control {
	struct cmsghdr head;
	char room[CMSG_SPACE(sizeof(int))];
};

/* To the process of the host that listens (bystander.c). */
static int meet(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	const char *name = target("SOCKET");
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(a.sun_path + 1, sizeof(a.sun_path) - 1, "%s", name);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&a, (socklen_t)
			       (offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name))) == 0)
		return fd;
	return -1;
}

static struct msghdr message(struct iovec *data, union control *c)
{
	return (struct msghdr){ .msg_iov = data, .msg_iovlen = 1,
				.msg_control = c->room, .msg_controllen = sizeof(c->room) };
}

/* The listener says so when it got one. */
static bool hand_out(void)
{
	union control c = { 0 };
	char byte = 'd', answer[256];
	struct iovec data = { &byte, 1 };
	struct msghdr m = message(&data, &c);
	int fd = meet(), mine = own_descriptor("ram");

	if (fd < 0)
		return false;
	mine = mine < 0 ? STDOUT_FILENO : mine;
	c.head = (struct cmsghdr){ CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS };
	memcpy(CMSG_DATA(&c.head), &mine, sizeof(mine));
	if (sendmsg(fd, &m, 0) != 1)
		return false;
	ssize_t n = 0, have = 0;
	while (have < (ssize_t)sizeof(answer) - 1 &&
	       (n = read(fd, answer + have, sizeof(answer) - 1 - (size_t)have)) > 0)
		have += n;
	answer[have] = '\0';
	return strstr(answer, "got it") != NULL;
}

static bool take_in(void)
{
	union control c = { 0 };
	char byte[256];
	struct iovec data = { byte, sizeof(byte) };
	struct msghdr m = message(&data, &c);
	int fd = meet(), theirs = -1;

	if (fd < 0 || recvmsg(fd, &m, 0) <= 0 || c.head.cmsg_type != SCM_RIGHTS ||
	    c.head.cmsg_len != CMSG_LEN(sizeof(int)))
		return false;
	memcpy(&theirs, CMSG_DATA(&c.head), sizeof(theirs));
	return reads_secret(theirs);
}

static const struct attempt attempts[] = {
	{ "fd-out", "hands a descriptor to a process of the host", VM_ROLES, hand_out },
	{ "fd-in", "takes a descriptor from a process of the host", VM_ROLES, take_in },
};

const struct class class_passing = CLASS("passing", attempts);
