#include "model/tdx_client.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static int gone(struct err *e, int cause)
{
	return err_errno(e, EX_INTERNAL, cause, "tdx: the simulated TDX module is gone");
}

/* read and write only, as in psp_client.c: the VMM's sealed threads have no other call for it. */
static int send_request(int fd, enum tdx_command command, const void *data, size_t size,
			struct err *e)
{
	const struct tdx_header h = { .magic = TDX_WIRE_MAGIC, .command = command,
				      .size = (uint32_t)size };
	uint8_t message[sizeof(h) + TDX_WIRE_PAYLOAD_MAX];
	ssize_t n;

	if (size > TDX_WIRE_PAYLOAD_MAX)
		return gone(e, EMSGSIZE);
	memcpy(message, &h, sizeof(h));
	if (size != 0)
		memcpy(message + sizeof(h), data, size);
	do
		n = write(fd, message, sizeof(h) + size);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)(sizeof(h) + size) ? 0 : gone(e, n < 0 ? errno : EMSGSIZE);
}

/* A successful answer carries exactly `size` bytes, any other none. One that is too long is cut by
 * the socket, and then its size is wrong. */
static int receive_answer(int fd, enum tdx_command command, void *out, size_t size,
			  uint64_t *status, struct err *e)
{
	uint8_t message[sizeof(struct tdx_header) + TDX_WIRE_PAYLOAD_MAX];
	struct tdx_header h;
	ssize_t n;

	do
		n = read(fd, message, sizeof(message));
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return gone(e, n < 0 ? errno : EPIPE);
	memcpy(&h, message, sizeof(h));
	if ((size_t)n < sizeof(h) || h.magic != TDX_WIRE_MAGIC || h.command != command ||
	    h.reserved != 0 || h.size != (size_t)n - sizeof(h) ||
	    h.size != (h.status == TDX_ST_SUCCESS ? size : 0))
		return gone(e, EPROTO);
	if (out && h.size != 0)
		memcpy(out, message + sizeof(h), h.size);
	*status = h.status;
	return 0;
}

static int call(int fd, enum tdx_command command, const void *in, size_t in_size, void *out,
		size_t out_size, uint64_t *status, struct err *e)
{
	int rc = send_request(fd, command, in, in_size, e);

	return rc == 0 ? receive_answer(fd, command, out, out_size, status, e) : rc;
}

int tdx_mng_init(int fd, const struct tdx_mng_init *init, uint64_t *status, struct err *e)
{
	return call(fd, TDX_MNG_INIT, init, sizeof(*init), NULL, 0, status, e);
}

int tdx_page_add(int fd, uint64_t gpa, uint64_t *status, struct err *e)
{
	const struct tdx_page_add c = { .gpa = gpa };

	return call(fd, TDX_PAGE_ADD, &c, sizeof(c), NULL, 0, status, e);
}

int tdx_mr_extend(int fd, uint64_t gpa, const uint8_t data[256], uint64_t *status, struct err *e)
{
	struct tdx_mr_extend c = { .gpa = gpa };

	memcpy(c.data, data, sizeof(c.data));
	return call(fd, TDX_MR_EXTEND, &c, sizeof(c), NULL, 0, status, e);
}

int tdx_mr_finalize(int fd, uint64_t *status, struct err *e)
{
	return call(fd, TDX_MR_FINALIZE, NULL, 0, NULL, 0, status, e);
}

int tdx_rtmr_extend(int fd, uint32_t index, const uint8_t data[48], uint64_t *status,
		    struct err *e)
{
	struct tdx_rtmr_extend c = { .index = index };

	memcpy(c.data, data, sizeof(c.data));
	return call(fd, TDX_RTMR_EXTEND, &c, sizeof(c), NULL, 0, status, e);
}

int tdx_mr_report(int fd, const uint8_t report_data[64], uint8_t report[TDX_WIRE_REPORT_SIZE],
		  uint64_t *status, struct err *e)
{
	struct tdx_mr_report c;

	memcpy(c.report_data, report_data, sizeof(c.report_data));
	return call(fd, TDX_MR_REPORT, &c, sizeof(c), report, TDX_WIRE_REPORT_SIZE, status, e);
}
