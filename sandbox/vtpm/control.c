#include "sandbox/vtpm/control.h"

#include "common/bytes.h"
#include "sandbox/vtpm/channel.h"

enum {
	CMD_INIT = 2,
	CMD_HASH_START = 6,
	CMD_HASH_DATA = 7,
	CMD_HASH_END = 8,
};

/* swtpm takes a request from one read(2) of this size: it has to arrive in one piece. */
#define REQUEST_MAX 4096u
#define CHUNK_MAX (REQUEST_MAX - 2 * sizeof(uint32_t)) /* after command and length */

/* One request, one response: a 32-bit result, nothing behind it. */
static int request(int fd, const char *what, const struct writer *w, int timeout_ms, struct err *e)
{
	int64_t deadline = channel_deadline(timeout_ms);
	uint8_t answer[4];
	struct reader r;
	uint32_t result;
	int rc = channel_quiet(fd, what, e);

	if (w->bad)
		return err_set(e, EX_INTERNAL, "vtpm: %s: request does not fit", what);
	if (rc == 0)
		rc = channel_send(fd, what, w->data, w->pos, deadline, e);
	if (rc == 0)
		rc = channel_receive(fd, what, answer, sizeof(answer), deadline, e);
	if (rc == 0)
		rc = channel_quiet(fd, what, e);
	if (rc < 0)
		return rc;
	r = reader_over(answer, sizeof(answer));
	result = read_be32(&r);
	if (result != 0)
		return err_set(e, EX_HOST, "vtpm: %s: swtpm answered %#x: see its log", what,
			       result);
	return 0;
}

int control_reset(int fd, int timeout_ms, struct err *e)
{
	uint8_t buffer[REQUEST_MAX];
	struct writer w = writer_over(buffer, sizeof(buffer));

	write_be32(&w, CMD_INIT);
	write_be32(&w, 0); /* flags: keep what is stored */
	return request(fd, "CMD_INIT", &w, timeout_ms, e);
}

static int hash_chunk(int fd, const uint8_t *data, size_t size, int timeout_ms, struct err *e)
{
	uint8_t buffer[REQUEST_MAX];
	struct writer w = writer_over(buffer, sizeof(buffer));

	write_be32(&w, CMD_HASH_DATA);
	write_be32(&w, (uint32_t)size);
	write_copy(&w, data, size);
	return request(fd, "CMD_HASH_DATA", &w, timeout_ms, e);
}

static int bare(int fd, const char *what, uint32_t command, int timeout_ms, struct err *e)
{
	uint8_t buffer[4];
	struct writer w = writer_over(buffer, sizeof(buffer));

	write_be32(&w, command);
	return request(fd, what, &w, timeout_ms, e);
}

int control_hcrtm(int fd, const void *data, size_t size, int timeout_ms, struct err *e)
{
	const uint8_t *p = data;
	int rc = bare(fd, "CMD_HASH_START", CMD_HASH_START, timeout_ms, e);

	while (rc == 0 && size > 0) {
		size_t n = size < CHUNK_MAX ? size : CHUNK_MAX;

		rc = hash_chunk(fd, p, n, timeout_ms, e);
		p += n;
		size -= n;
	}
	return rc < 0 ? rc : bare(fd, "CMD_HASH_END", CMD_HASH_END, timeout_ms, e);
}
