#include "vmm/platform/tpm_crb.h"

#include "common/bytes.h"
#include "firmware/layout.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* TCG PC Client Platform TPM Profile 1.05, table 37: registers of a locality. */
#define LOC_STATE    0x00u
#define LOC_CTRL     0x08u
#define LOC_STS      0x0Cu
#define INTF_ID      0x30u
#define CTRL_REQ     0x40u
#define CTRL_STS     0x44u
#define CTRL_START   0x4Cu
#define INT_ENABLE   0x50u
#define CMD_SIZE     0x58u
#define CMD_LADDR    0x5Cu
#define RSP_SIZE     0x64u
#define RSP_ADDR     0x68u
#define LOCALITY_SIZE 0x1000u

#define STATE_ESTABLISHED_NOT 0x01u
#define STATE_ASSIGNED        0x02u
#define STATE_VALID           0x80u
#define CTRL_REQUEST_ACCESS   0x01u
#define CTRL_RELINQUISH       0x02u
#define REQ_READY             0x01u
#define REQ_IDLE              0x02u
#define STS_IDLE              0x02u
#define START                 0x01u

/* CRB only, version 1, CRB selected, 64-byte transfers; vendor as swtpm reports itself. */
#define INTF_ID_LOW  (1u | 1u << 4 | 3u << 11 | 1u << 14 | 1u << 17)
#define INTF_ID_HIGH (0x1014u | 1u << 16)

/* TPM 2.0 part 2: header of commands and responses, tags and codes. */
#define HEADER_SIZE         10u
#define TAG_NO_SESSIONS     0x8001u
#define TAG_SESSIONS        0x8002u
#define TAG_RSP_COMMAND     0x00C4u
#define RC_BAD_TAG          0x01Eu
#define RC_FAILURE          0x101u
#define RC_COMMAND_SIZE     0x142u

int tpm_crb_init(struct tpm_crb *t, int fd, const atomic_bool *stopping, tpm_crb_log_fn log,
		 void *log_ctx, struct err *e)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return err_errno(e, EX_HOST, errno, "tpm: descriptor %d", fd);
	memset(t, 0, sizeof(*t));
	t->fd = fd;
	t->timeout_ms = TPM_CRB_TIMEOUT_MS;
	t->stopping = stopping;
	t->log = log;
	t->log_ctx = log_ctx;
	t->idle = true;
	return 0;
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Waits until the socket is ready for `events` or the deadline; NULL or what went wrong. */
static const char *wait_ready(const struct tpm_crb *t, short events, int64_t deadline)
{
	for (;;) {
		struct pollfd p = { .fd = t->fd, .events = events };
		int64_t left = deadline - now_ms();
		struct timespec ts = { left / 1000, left % 1000 * 1000000 };
		int n;

		if (atomic_load(t->stopping))
			return "the VM is ending";
		if (left <= 0)
			return "no whole response in time";
		n = ppoll(&p, 1, &ts, NULL);
		if (n > 0)
			return NULL;
		if (n < 0 && errno != EINTR)
			return "cannot wait for it";
	}
}

static const char *send_all(const struct tpm_crb *t, const uint8_t *data, size_t size,
			    int64_t deadline)
{
	while (size > 0) {
		ssize_t n = write(t->fd, data, size);

		if (n > 0) {
			data += n;
			size -= (size_t)n;
		} else if (n < 0 && errno == EAGAIN) {
			const char *bad = wait_ready(t, POLLOUT, deadline);

			if (bad)
				return bad;
		} else if (n == 0 || errno != EINTR) {
			return "it does not take the command";
		}
	}
	return NULL;
}

static const char *receive_all(const struct tpm_crb *t, uint8_t *data, size_t size,
			       int64_t deadline)
{
	while (size > 0) {
		ssize_t n = read(t->fd, data, size);

		if (n > 0) {
			data += n;
			size -= (size_t)n;
		} else if (n == 0) {
			return "it closed the connection";
		} else if (errno == EAGAIN) {
			const char *bad = wait_ready(t, POLLIN, deadline);

			if (bad)
				return bad;
		} else if (errno != EINTR) {
			return "cannot read the response";
		}
	}
	return NULL;
}

/* Bytes that wait before a command was sent answer no command of ours. */
static const char *check_quiet(const struct tpm_crb *t)
{
	struct pollfd p = { .fd = t->fd, .events = POLLIN };
	struct timespec none = { 0, 0 };

	return ppoll(&p, 1, &none, NULL) == 0 ? NULL : "it sent bytes nobody asked for";
}

/* One command, one response, into out (TPM_CRB_BUFFER_SIZE bytes). NULL or what went wrong. */
static const char *exchange(const struct tpm_crb *t, size_t size, uint8_t *out)
{
	int64_t deadline = now_ms() + t->timeout_ms;
	struct reader header;
	const char *bad = check_quiet(t);
	uint16_t tag;
	uint32_t length;

	if (!bad)
		bad = send_all(t, t->buffer, size, deadline);
	if (!bad)
		bad = receive_all(t, out, HEADER_SIZE, deadline);
	if (bad)
		return bad;
	header = reader_over(out, HEADER_SIZE);
	tag = read_be16(&header);
	length = read_be32(&header);
	if (tag != TAG_NO_SESSIONS && tag != TAG_SESSIONS && tag != TAG_RSP_COMMAND)
		return "its response has an unknown tag";
	if (length < HEADER_SIZE || length > TPM_CRB_BUFFER_SIZE)
		return "its response has an impossible size";
	return receive_all(t, out + HEADER_SIZE, length - HEADER_SIZE, deadline);
}

static void respond_error(struct tpm_crb *t, uint32_t code)
{
	struct writer w = writer_over(t->buffer, sizeof(t->buffer));

	write_be16(&w, TAG_NO_SESSIONS);
	write_be32(&w, HEADER_SIZE);
	write_be32(&w, code);
}

/* After a broken exchange the stream's place is unknown: the TPM has failed for good, as a chip
 * in failure mode would. */
static void execute(struct tpm_crb *t)
{
	struct reader command = reader_over(t->buffer, HEADER_SIZE);
	uint8_t response[TPM_CRB_BUFFER_SIZE] = { 0 };
	const char *bad;
	uint16_t tag = read_be16(&command);
	uint32_t size = read_be32(&command);

	/* swtpm also takes commands behind a simulator's prefix that chooses a locality. The guest
	 * has locality 0 and no other: only the two tags of a TPM command pass (TPM 2.0 Part 2
	 * section 6.9). */
	if (tag != TAG_NO_SESSIONS && tag != TAG_SESSIONS) {
		respond_error(t, RC_BAD_TAG);
		return;
	}
	if (size < HEADER_SIZE || size > TPM_CRB_BUFFER_SIZE) {
		respond_error(t, RC_COMMAND_SIZE);
		return;
	}
	if (!t->broken) {
		bad = exchange(t, size, response);
		if (!bad) {
			memcpy(t->buffer, response, sizeof(response));
			return;
		}
		t->broken = true;
		t->log(t->log_ctx, bad);
	}
	respond_error(t, RC_FAILURE);
}

static void put32(uint8_t *registers, unsigned offset, uint32_t value)
{
	struct writer w = writer_over(registers + offset, 4);

	write_le32(&w, value);
}

/* The register file as it looks now. CTRL_START always reads zero: commands finish at once. */
static void fill_registers(const struct tpm_crb *t, uint8_t registers[TPM_CRB_BUFFER])
{
	uint32_t data = TPM_CRB_BASE + TPM_CRB_BUFFER;

	memset(registers, 0, TPM_CRB_BUFFER);
	put32(registers, LOC_STATE,
	      STATE_VALID | STATE_ESTABLISHED_NOT | (t->granted ? STATE_ASSIGNED : 0));
	put32(registers, LOC_STS, t->granted);
	put32(registers, INTF_ID, INTF_ID_LOW);
	put32(registers, INTF_ID + 4, INTF_ID_HIGH);
	put32(registers, CTRL_STS, t->idle ? STS_IDLE : 0);
	put32(registers, INT_ENABLE, t->interrupts);
	put32(registers, CMD_SIZE, TPM_CRB_BUFFER_SIZE);
	put32(registers, CMD_LADDR, data);
	put32(registers, RSP_SIZE, TPM_CRB_BUFFER_SIZE);
	put32(registers, RSP_ADDR, data);
}

uint64_t tpm_crb_read(void *ctx, uint64_t offset, unsigned size)
{
	const struct tpm_crb *t = ctx;
	uint8_t registers[TPM_CRB_BUFFER];
	struct reader r;
	uint64_t value = 0;

	if (offset + size > LOCALITY_SIZE)
		return ~0ull; /* other localities are absent */
	if (offset >= TPM_CRB_BUFFER) {
		r = reader_over(t->buffer, sizeof(t->buffer));
		r.pos = offset - TPM_CRB_BUFFER;
		if (!t->granted)
			return ~0ull;
	} else {
		fill_registers(t, registers);
		r = reader_over(registers, sizeof(registers));
		r.pos = offset;
	}
	for (unsigned i = 0; i < size; i++)
		value |= (uint64_t)read_u8(&r) << (8 * i);
	return value;
}

static void write_buffer(struct tpm_crb *t, uint64_t offset, unsigned size, uint64_t value)
{
	for (unsigned i = 0; i < size && offset + i < sizeof(t->buffer); i++)
		t->buffer[offset + i] = (uint8_t)(value >> (8 * i));
}

static void write_register(struct tpm_crb *t, uint64_t offset, uint32_t value)
{
	switch (offset) {
	case LOC_CTRL:
		if (value & CTRL_REQUEST_ACCESS)
			t->granted = true;
		if (value & CTRL_RELINQUISH)
			t->granted = false;
		break;
	case CTRL_REQ:
		if (t->granted && (value & REQ_READY))
			t->idle = false;
		if (t->granted && (value & REQ_IDLE))
			t->idle = true;
		break;
	case CTRL_START:
		if (t->granted && !t->idle && (value & START))
			execute(t);
		break;
	case INT_ENABLE:
		t->interrupts = value;
		break;
	}
}

void tpm_crb_write(void *ctx, uint64_t offset, unsigned size, uint64_t value)
{
	struct tpm_crb *t = ctx;

	if (offset + size > LOCALITY_SIZE)
		return;
	if (offset >= TPM_CRB_BUFFER) {
		if (t->granted)
			write_buffer(t, offset - TPM_CRB_BUFFER, size, value);
	} else if (size == 4) {
		write_register(t, offset, (uint32_t)value);
	}
}
