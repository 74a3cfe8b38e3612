#include "model/psp_client.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define REQUEST_MAX 4352u /* the longest, LAUNCH_FINISH, has 4232 */

static int gone(struct err *e, int cause)
{
	return err_errno(e, EX_INTERNAL, cause, "psp: the simulated secure processor is gone");
}

/* read and write only: the VMM's sealed threads have no call that could pass a descriptor, and a
 * message of this socket is one write. */
static int send_request(int fd, enum psp_command command, const void *data, size_t size,
			struct err *e)
{
	const struct psp_header h = { .magic = PSP_MAGIC, .command = command,
				      .size = (uint32_t)size };
	uint8_t message[sizeof(h) + REQUEST_MAX];
	ssize_t n;

	if (size > REQUEST_MAX)
		return gone(e, EMSGSIZE);
	memcpy(message, &h, sizeof(h));
	if (size != 0)
		memcpy(message + sizeof(h), data, size);
	do
		n = write(fd, message, sizeof(h) + size);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)(sizeof(h) + size) ? 0 : gone(e, n < 0 ? errno : EMSGSIZE);
}

/* out holds max bytes; *got is what the answer carried. An answer that is too long is cut by the
 * socket, and then its size is wrong. */
static int receive_answer(int fd, enum psp_command command, void *out, size_t max, size_t *got,
			  uint32_t *status, struct err *e)
{
	uint8_t message[sizeof(struct psp_header) + PSP_PAYLOAD_MAX];
	struct psp_header h;
	ssize_t n;

	do
		n = read(fd, message, sizeof(message));
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return gone(e, n < 0 ? errno : EPIPE);
	memcpy(&h, message, sizeof(h));
	if ((size_t)n < sizeof(h) || h.magic != PSP_MAGIC || h.command != command ||
	    h.size != (size_t)n - sizeof(h) || h.size > max)
		return gone(e, EPROTO);
	if (h.size != 0)
		memcpy(out, message + sizeof(h), h.size);
	*got = h.size;
	*status = h.status;
	return 0;
}

/* A command whose answer carries nothing. */
static int simple(int fd, enum psp_command command, const void *data, size_t size,
		  uint32_t *status, struct err *e)
{
	size_t got;
	int rc = send_request(fd, command, data, size, e);

	return rc == 0 ? receive_answer(fd, command, NULL, 0, &got, status, e) : rc;
}

int psp_gctx_create(int fd, uint32_t *status, struct err *e)
{
	const struct psp_gctx_create c = { .page_state = PSP_PAGE_FIRMWARE,
					   .page_size = PSP_SIZE_4K };

	return simple(fd, PSP_GCTX_CREATE, &c, sizeof(c), status, e);
}

int psp_launch_start(int fd, uint64_t policy, const uint8_t gosvw[16], uint32_t *status,
		     struct err *e)
{
	struct psp_launch_start c = { .policy = policy };

	memcpy(c.gosvw, gosvw, sizeof(c.gosvw));
	return simple(fd, PSP_LAUNCH_START, &c, sizeof(c), status, e);
}

int psp_activate(int fd, uint32_t asid, uint32_t *status, struct err *e)
{
	const struct psp_activate c = { .asid = asid };

	return simple(fd, PSP_ACTIVATE, &c, sizeof(c), status, e);
}

int psp_launch_update(int fd, uint64_t gpa, enum psp_page_type type, uint32_t asid,
		      uint8_t page[PSP_PAGE], int *replaced, uint32_t *status, struct err *e)
{
	struct psp_launch_update c = { .gpa = gpa,
				       .page_type = type,
				       .page_size = PSP_SIZE_4K,
				       .rmp_state = PSP_PAGE_PRE_GUEST,
				       .rmp_size = PSP_SIZE_4K,
				       .rmp_asid = asid };
	uint8_t answer[PSP_PAGE];
	size_t got = 0;

	memcpy(c.data, page, PSP_PAGE);
	int rc = send_request(fd, PSP_LAUNCH_UPDATE, &c, sizeof(c), e);
	if (rc == 0)
		rc = receive_answer(fd, PSP_LAUNCH_UPDATE, answer, sizeof(answer), &got, status, e);
	if (rc != 0)
		return rc;
	if (got != 0 && got != PSP_PAGE)
		return gone(e, EPROTO);
	*replaced = got == PSP_PAGE;
	if (*replaced)
		memcpy(page, answer, PSP_PAGE);
	return 0;
}

int psp_launch_finish(int fd, const uint8_t *id_block, const uint8_t *id_auth, int author,
		      int vcek_disabled, const uint8_t host_data[32], uint32_t *status,
		      struct err *e)
{
	struct psp_launch_finish c = { .id_block_en = id_block != NULL,
				       .auth_key_en = author != 0,
				       .vcek_disabled = vcek_disabled != 0 };

	memcpy(c.host_data, host_data, sizeof(c.host_data));
	if (id_block != NULL && id_auth != NULL) {
		memcpy(c.id_block, id_block, sizeof(c.id_block));
		memcpy(c.id_auth, id_auth, sizeof(c.id_auth));
	}
	return simple(fd, PSP_LAUNCH_FINISH, &c, sizeof(c), status, e);
}

int psp_guest_report(int fd, const void *request, size_t size, void *answer, size_t max,
		     size_t *answer_size, uint32_t *status, struct err *e)
{
	if (size != sizeof(struct psp_report_request)) {
		/* The guest's mistake, not the connection's: the firmware would say so too. */
		*status = PSP_INVALID_PARAM;
		*answer_size = 0;
		return 0;
	}
	int rc = send_request(fd, PSP_GUEST_REPORT, request, size, e);
	return rc == 0 ? receive_answer(fd, PSP_GUEST_REPORT, answer, max, answer_size, status, e)
		       : rc;
}

int psp_decommission(int fd, uint32_t *status, struct err *e)
{
	return simple(fd, PSP_DECOMMISSION, NULL, 0, status, e);
}
