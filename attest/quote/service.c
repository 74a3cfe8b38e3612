#include "attest/quote/service.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/vm_sockets.h>

int service_check_name(const char *name, struct err *e)
{
	size_t length = strnlen(name, sizeof(((struct sockaddr_un *)0)->sun_path));

	if (length == 0 || length >= sizeof(((struct sockaddr_un *)0)->sun_path) ||
	    strchr(name, '/') != NULL || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return err_set(e, EX_USAGE_ERROR, "QGS: '%.100s' is no name of a socket in its "
			       "directory", name);
	return 0;
}

static int refused(int cause, struct err *e)
{
	const char *next = cause == EACCES || cause == EPERM ?
				   "its socket is not for others, or the policy denies it" :
			   cause == ENOENT || cause == ECONNREFUSED || cause == ECONNRESET ?
				   "is the service running?" :
			   cause == EAGAIN ? "it has too many connections waiting" :
					     "see its log";

	return err_errno(e, EX_HOST, cause, "QGS: cannot connect (%s)", next);
}

int service_connect(const struct service *s, int *fd, struct err *e)
{
	struct sockaddr_un local = { .sun_family = AF_UNIX };
	struct sockaddr_vm vm = { .svm_family = AF_VSOCK, .svm_cid = s->cid, .svm_port = s->port };
	const bool is_local = s->family == AF_UNIX;

	*fd = socket(s->family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (*fd < 0)
		return err_errno(e, EX_HOST, errno, "QGS: socket");
	if (is_local)
		snprintf(local.sun_path, sizeof(local.sun_path), "%s", s->name);
	int rc = connect(*fd, is_local ? (const struct sockaddr *)&local :
					 (const struct sockaddr *)&vm,
			 is_local ? sizeof(local) : sizeof(vm));
	if (rc == 0)
		return 0;
	if (errno == EINPROGRESS)
		return 1;
	rc = refused(errno, e);
	close(*fd);
	*fd = -1;
	return rc;
}

int service_connected(int fd, struct err *e)
{
	int cause = 0;
	socklen_t size = sizeof(cause);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &cause, &size) != 0)
		cause = errno;
	return cause == 0 ? 0 : refused(cause, e);
}
