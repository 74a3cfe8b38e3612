#include "common/record.h"

#include <errno.h>
#include <sys/socket.h>

int record_send(int fd, enum record_type type, uint32_t a, uint32_t b, struct err *e)
{
	struct record r = { .magic = RECORD_MAGIC, .type = type, .a = a, .b = b };
	ssize_t n;

	/* sendto without an address, not sendmsg: after sealing no call that could carry
	 * descriptors is allowed (sandbox/seccomp). */
	do
		n = send(fd, &r, sizeof(r), MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_errno(e, EX_INTERNAL, errno, "record %u: cannot send", (unsigned)type);
	if ((size_t)n != sizeof(r))
		return err_set(e, EX_INTERNAL, "record %u: sent %zd of %zu bytes", (unsigned)type,
			       n, sizeof(r));
	return 0;
}

int record_receive(int fd, const char *who, struct record *out, struct err *e)
{
	/* One byte more than a record, so that a longer message is noticed. recvfrom never
	 * delivers descriptors: the kernel drops any that were attached. */
	struct {
		struct record r;
		char excess;
	} buffer;
	ssize_t n;

	do
		n = recv(fd, &buffer, sizeof(buffer.r) + 1, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno != ECONNRESET)
		return err_errno(e, EX_INTERNAL, errno, "%s: cannot receive a record", who);
	if (n <= 0)
		return 0;
	if ((size_t)n != sizeof(buffer.r))
		return err_set(e, EX_INTERNAL, "%s: sent a record of %zd bytes, expected %zu", who,
			       n, sizeof(buffer.r));
	if (buffer.r.magic != RECORD_MAGIC)
		return err_set(e, EX_INTERNAL, "%s: sent a record with a wrong magic", who);
	if (buffer.r.type < RECORD_READY || buffer.r.type > RECORD_TIMING)
		return err_set(e, EX_INTERNAL, "%s: sent a record of unknown type %u", who,
			       buffer.r.type);
	*out = buffer.r;
	return 1;
}
