/* A process of the host that is no VM's: it listens on sockets of several families and tells the
 * secret to whoever connects, holds it in a shared memory segment and in a key, and says by what
 * names these are found. */
#include "tests/escape/payload.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define VSOCK_PORT 4711u

static char secret[128];

static int listen_on(int family, const void *address, size_t size)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && bind(fd, address, (socklen_t)size) == 0 && listen(fd, 16) == 0)
		return fd;
	perror("bystander: listen");
	return -1;
}

static unsigned port_of(int fd)
{
	struct sockaddr_in6 a = { 0 }; /* the port is at the same place in both */
	socklen_t size = sizeof(a);

	return getsockname(fd, (struct sockaddr *)&a, &size) == 0 ? ntohs(a.sin6_port) : 0;
}

static int listen_everywhere(struct pollfd *p)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr_vm vm = { .svm_family = AF_VSOCK, .svm_port = VSOCK_PORT,
				  .svm_cid = VMADDR_CID_ANY };
	struct sockaddr_un abstract = { .sun_family = AF_UNIX }, path = { .sun_family = AF_UNIX };

	snprintf(abstract.sun_path + 1, sizeof(abstract.sun_path) - 1, "%s", target("SOCKET"));
	snprintf(path.sun_path, sizeof(path.sun_path), "%s", target("SOCKET_PATH"));
	unlink(path.sun_path);
	umask(0);
	p[0].fd = listen_on(AF_INET, &v4, sizeof(v4));
	p[1].fd = listen_on(AF_INET6, &v6, sizeof(v6));
	p[2].fd = listen_on(AF_VSOCK, &vm, sizeof(vm));
	p[3].fd = listen_on(AF_UNIX, &abstract, offsetof(struct sockaddr_un, sun_path) + 1 +
			    strlen(target("SOCKET")));
	p[4].fd = listen_on(AF_UNIX, &path, sizeof(path));
	umask(077);
	printf("PORT=%u PORT6=%u VSOCK_PORT=%u\n", port_of(p[0].fd), port_of(p[1].fd), VSOCK_PORT);
	return 5;
}

static void hold_memory(void)
{
	int id = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600);
	char *p = id < 0 ? (void *)-1 : shmat(id, NULL, 0);

	if (p == (void *)-1)
		return;
	memcpy(p, secret, sizeof(secret));
	shmctl(id, IPC_RMID, NULL); /* with this process */
	printf("SHM=%d\n", id);
}

static void hold_key(void)
{
	long key = syscall(SYS_add_key, "user", "escape", secret, strlen(secret),
			   KEY_SPEC_USER_KEYRING);

	printf("KEY=%ld\n", key);
}

static void say_handle(const char *path)
{
	struct {
		struct file_handle head;
		unsigned char bytes[128];
	} h = { .head = { .handle_bytes = 128 } };
	int mount;

	if (name_to_handle_at(AT_FDCWD, path, &h.head, &mount, 0) != 0)
		return;
	printf("LOG_HANDLE=%d:", h.head.handle_type);
	for (unsigned i = 0; i < h.head.handle_bytes; i++)
		printf("%02x", h.bytes[i]);
	printf("\n");
}

/* The secret, and with it over a unix socket a file that is root's alone. */
static void tell_secret(int fd, bool with_file)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} c = { 0 };
	struct iovec data = { secret, strlen(secret) };
	struct msghdr m = { .msg_iov = &data, .msg_iovlen = 1 };
	int file = with_file ? open(target("HOST_FILE"), O_RDONLY | O_CLOEXEC) : -1;

	if (file >= 0) {
		c.head = (struct cmsghdr){ CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS };
		memcpy(CMSG_DATA(&c.head), &file, sizeof(file));
		m.msg_control = c.room;
		m.msg_controllen = sizeof(c.room);
	}
	(void)!sendmsg(fd, &m, MSG_NOSIGNAL);
	if (file >= 0)
		close(file);
}

static void hear_descriptor(int fd)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} c = { 0 };
	const struct timeval patience = { .tv_usec = 300000 };
	char byte;
	struct iovec data = { &byte, 1 };
	struct msghdr m = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = c.room,
			    .msg_controllen = sizeof(c.room) };
	int theirs;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (recvmsg(fd, &m, MSG_CMSG_CLOEXEC) <= 0 || m.msg_controllen < CMSG_LEN(sizeof(int)) ||
	    c.head.cmsg_type != SCM_RIGHTS)
		return;
	memcpy(&theirs, CMSG_DATA(&c.head), sizeof(theirs));
	(void)!send(fd, "got it", 6, MSG_NOSIGNAL);
	close(theirs);
}

int bystander(void)
{
	const char *backwards = target("TERCES");
	const size_t length = strlen(backwards);
	struct pollfd p[8] = { 0 };

	if (length == 0 || length >= sizeof(secret))
		return EX_USAGE_ERROR;
	for (size_t i = 0; i < length; i++)
		secret[i] = backwards[length - 1 - i];
	int count = listen_everywhere(p);
	hold_memory();
	hold_key();
	say_handle(target("LOG"));
	printf("READY=1\n");
	fflush(stdout);
	for (int i = 0; i < count; i++)
		p[i].events = POLLIN;
	while (poll(p, (nfds_t)count, -1) > 0)
		for (int i = 0; i < count; i++) {
			if ((p[i].revents & POLLIN) == 0)
				continue;
			int fd = accept4(p[i].fd, NULL, NULL, SOCK_CLOEXEC);
			if (fd < 0)
				continue;
			tell_secret(fd, i >= 3);
			if (i >= 3)
				hear_descriptor(fd);
			close(fd);
		}
	return 1;
}
