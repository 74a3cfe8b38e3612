#include "sandbox/vtpm/tcti_fd.h"

#include "common/bytes.h"
#include "sandbox/vtpm/channel.h"

#include <string.h>
#include <tss2/tss2_tpm2_types.h>

#define TCTI_FD_MAGIC 0x7061766973652d66ull
#define TCTI_FD_VERSION 1
#define COMMAND "TPM command"
#define RESPONSE "TPM response"

static struct tcti_fd *own(TSS2_TCTI_CONTEXT *context)
{
	struct tcti_fd *t = (struct tcti_fd *)context;

	return t != NULL && t->common.magic == TCTI_FD_MAGIC ? t : NULL;
}

static TSS2_RC transmit(TSS2_TCTI_CONTEXT *context, size_t size, const uint8_t *command)
{
	struct tcti_fd *t = own(context);

	if (t == NULL || command == NULL)
		return TSS2_TCTI_RC_BAD_REFERENCE;
	if (t->waiting)
		return TSS2_TCTI_RC_BAD_SEQUENCE;
	if (size < sizeof(t->header) || size > TPM2_MAX_COMMAND_SIZE)
		return TSS2_TCTI_RC_BAD_VALUE;
	/* An answer that waits already belongs to no command of ours. */
	if (channel_quiet(t->fd, COMMAND, &t->err) < 0 ||
	    channel_send(t->fd, COMMAND, command, size, channel_deadline(t->timeout_ms),
			 &t->err) < 0)
		return TSS2_TCTI_RC_IO_ERROR;
	t->waiting = 1;
	t->header_received = 0;
	return TSS2_RC_SUCCESS;
}

/* Size field of the response header (TPM 2.0 part 1, 18.3), checked. 0: it cannot be. */
static size_t response_size(const struct tcti_fd *t)
{
	struct reader r = reader_over(t->header, sizeof(t->header));
	uint16_t tag = read_be16(&r);
	uint32_t size = read_be32(&r);

	if (tag != TPM2_ST_NO_SESSIONS && tag != TPM2_ST_SESSIONS && tag != TPM2_ST_RSP_COMMAND)
		return 0;
	return size >= sizeof(t->header) && size <= TPM2_MAX_RESPONSE_SIZE ? size : 0;
}

static TSS2_RC give_up(struct tcti_fd *t, TSS2_RC rc)
{
	t->waiting = 0;
	return rc;
}

/* The specification's timeouts are milliseconds, 0 (poll) or forever; each of ours is bounded. */
static TSS2_RC receive(TSS2_TCTI_CONTEXT *context, size_t *size, uint8_t *response, int32_t timeout)
{
	struct tcti_fd *t = own(context);
	int64_t deadline;
	size_t need;

	if (t == NULL || size == NULL)
		return TSS2_TCTI_RC_BAD_REFERENCE;
	if (!t->waiting)
		return TSS2_TCTI_RC_BAD_SEQUENCE;
	deadline =
		channel_deadline(timeout < 0 || timeout > t->timeout_ms ? t->timeout_ms : timeout);
	if (!t->header_received &&
	    channel_receive(t->fd, RESPONSE, t->header, sizeof(t->header), deadline, &t->err) < 0)
		return give_up(t, TSS2_TCTI_RC_IO_ERROR);
	t->header_received = 1;
	need = response_size(t);
	if (need == 0) {
		err_set(&t->err, EX_HOST, "vtpm: " RESPONSE ": swtpm sent no TPM response header");
		return give_up(t, TSS2_TCTI_RC_MALFORMED_RESPONSE);
	}
	if (response == NULL || *size < need) {
		int asked = response == NULL;

		*size = need;
		return asked ? TSS2_RC_SUCCESS : TSS2_TCTI_RC_INSUFFICIENT_BUFFER;
	}
	memcpy(response, t->header, sizeof(t->header));
	if (channel_receive(t->fd, RESPONSE, response + sizeof(t->header),
			    need - sizeof(t->header), deadline, &t->err) < 0)
		return give_up(t, TSS2_TCTI_RC_IO_ERROR);
	*size = need;
	t->waiting = 0;
	return TSS2_RC_SUCCESS;
}

static void finalize(TSS2_TCTI_CONTEXT *context)
{
	struct tcti_fd *t = own(context);

	if (t != NULL)
		t->common.magic = 0;
}

/* Both belong to the control channel, which this interface does not have. */
static TSS2_RC cancel(TSS2_TCTI_CONTEXT *context)
{
	(void)context;
	return TSS2_TCTI_RC_NOT_IMPLEMENTED;
}

static TSS2_RC set_locality(TSS2_TCTI_CONTEXT *context, uint8_t locality)
{
	(void)context;
	return locality == 0 ? TSS2_RC_SUCCESS : TSS2_TCTI_RC_NOT_SUPPORTED;
}

void tcti_fd_init(struct tcti_fd *t, int fd, int timeout_ms)
{
	*t = (struct tcti_fd){
		.common = { .magic = TCTI_FD_MAGIC,
			    .version = TCTI_FD_VERSION,
			    .transmit = transmit,
			    .receive = receive,
			    .finalize = finalize,
			    .cancel = cancel,
			    .setLocality = set_locality },
		.fd = fd,
		.timeout_ms = timeout_ms,
	};
}

TSS2_TCTI_CONTEXT *tcti_fd_context(struct tcti_fd *t)
{
	return (TSS2_TCTI_CONTEXT *)t;
}
