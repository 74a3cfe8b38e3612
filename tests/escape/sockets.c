/* Sockets of every family the lab's kernel has, each used: what a listener of the host says, a
 * question that the kernel answers, an address taken. */
#include "sandbox/control_format.h"
#include "tests/escape/attempt.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static bool connects(int family, const void *address, size_t size)
{
	int fd = socket(family, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, address, (socklen_t)size) != 0)
		return false;
	return reads_secret(fd);
}

static bool inet(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };

	a.sin_port = htons((uint16_t)target_number("PORT"));
	return connects(AF_INET, &a, sizeof(a));
}

static bool inet6(void)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };

	a.sin6_port = htons((uint16_t)target_number("PORT6"));
	return connects(AF_INET6, &a, sizeof(a));
}

static bool vsock(void)
{
	struct sockaddr_vm a = { .svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_LOCAL };

	a.svm_port = (unsigned)target_number("VSOCK_PORT");
	return connects(AF_VSOCK, &a, sizeof(a));
}

static size_t unix_address(struct sockaddr_un *a, const char *name, bool abstract)
{
	*a = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf(a->sun_path + abstract, sizeof(a->sun_path) - 1, "%s", name);
	return offsetof(struct sockaddr_un, sun_path) + abstract + strlen(name) + !abstract;
}

static bool unix_abstract(void)
{
	struct sockaddr_un a;
	size_t size = unix_address(&a, target("SOCKET"), true);

	return connects(AF_UNIX, &a, size);
}

static bool unix_path(void)
{
	struct sockaddr_un a;
	size_t size = unix_address(&a, target("SOCKET_PATH"), false);

	return connects(AF_UNIX, &a, size);
}

/* Another VM's control socket: asked for its state, and answered. */
static bool control_status(void)
{
	const struct control_record ask = { .magic = CONTROL_MAGIC, .type = CONTROL_STATUS };
	struct control_record answer = { 0 };
	struct sockaddr_un a;
	size_t size = unix_address(&a, target("CONTROL"), false);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	return fd >= 0 && connect(fd, (const struct sockaddr *)&a, (socklen_t)size) == 0 &&
	       send(fd, &ask, sizeof(ask), 0) == (ssize_t)sizeof(ask) &&
	       recv(fd, &answer, sizeof(answer), 0) == (ssize_t)sizeof(answer) &&
	       answer.type == CONTROL_OK;
}

static bool raw_ip(void)
{
	return socket(AF_INET, SOCK_RAW, IPPROTO_TCP) >= 0;
}

static bool packet(void)
{
	return socket(AF_PACKET, SOCK_RAW, htons(0x0003)) >= 0;
}

/* A port below 1024 of the host's address. */
static bool bind_port(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	a.sin_port = htons(81);
	return fd >= 0 && bind(fd, (const struct sockaddr *)&a, sizeof(a)) == 0 &&
	       listen(fd, 1) == 0;
}

/* The host's interfaces: run.sh gave one of them the secret for an alias. */
static bool route(void)
{
	static char answer[32768];
	struct {
		struct nlmsghdr head;
		struct ifinfomsg body;
	} ask = { .head = { .nlmsg_len = sizeof(ask), .nlmsg_type = RTM_GETLINK,
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP } };
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);

	if (fd < 0 || send(fd, &ask, sizeof(ask), 0) < 0)
		return false;
	ssize_t n = recv(fd, answer, sizeof(answer), 0);
	return n > 0 && (has_secret(answer, (size_t)n) || stopped(ENODATA));
}

/* A record of its own in the host's audit trail: 0 is the kernel's "done". */
static bool audit(void)
{
	struct {
		struct nlmsghdr head;
		char text[16];
	} ask = { .head = { .nlmsg_len = sizeof(ask), .nlmsg_type = AUDIT_FIRST_USER_MSG + 5,
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK },
		  .text = "op=escape" };
	struct {
		struct nlmsghdr head;
		struct nlmsgerr error;
		char more[256];
	} answer;
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_AUDIT);

	memset(&answer, 0xff, sizeof(answer));
	if (fd < 0 || send(fd, &ask, sizeof(ask), 0) < 0 ||
	    recv(fd, &answer, sizeof(answer), 0) <= 0)
		return false;
	return answer.head.nlmsg_type == NLMSG_ERROR && (answer.error.error == 0 ||
							 stopped(-answer.error.error));
}

/* What the kernel tells its device manager. */
static bool uevents(void)
{
	struct sockaddr_nl a = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT);

	return fd >= 0 && bind(fd, (const struct sockaddr *)&a, sizeof(a)) == 0;
}

static bool generic(void)
{
	return socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC) >= 0;
}

static bool xdp(void)
{
	return socket(AF_XDP, SOCK_RAW, 0) >= 0;
}

static const struct attempt attempts[] = {
	{ "socket-inet", "connects to a service of the host over IPv4", VM_ROLES, inet },
	{ "socket-inet6", "connects to a service of the host over IPv6", VM_ROLES, inet6 },
	{ "socket-vsock", "connects to a service of the host over vsock", VM_ROLES, vsock },
	{ "socket-abstract", "connects to a host's abstract unix socket", VM_ROLES, unix_abstract },
	{ "socket-path", "connects to a host's unix socket by path", VM_ROLES, unix_path },
	{ "socket-control", "asks another VM's launcher", VM_ROLES, control_status },
	{ "socket-raw", "a raw IP socket", VM_ROLES, raw_ip },
	{ "socket-packet", "a packet socket", VM_ROLES, packet },
	{ "socket-bind", "listens on a low port of the host", VM_ROLES, bind_port },
	{ "socket-route", "lists the host's interfaces", VM_ROLES, route },
	{ "socket-audit", "writes to the host's audit trail", VM_ROLES, audit },
	{ "socket-uevent", "listens to the kernel's device events", VM_ROLES, uevents },
	{ "socket-generic", "a generic netlink socket", VM_ROLES, generic },
	{ "socket-xdp", "an XDP socket", VM_ROLES, xdp },
};

const struct class class_sockets = CLASS("sockets", attempts);
