/* pavise-agent: runs inside the guest, answers a nonce with evidence, and takes the key of its data
 * disk. It trusts nothing that comes over the channel: two kinds of request, bounded, and no other
 * input. */
#include "attest/agent/data_key.h"
#include "attest/agent/evidence.h"
#include "attest/agent/wire.h"

#include "common/args.h"
#include "common/bytes.h"

#include <errno.h>
#include <linux/vm_sockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <tss2/tss2_tcti_device.h>
#include <unistd.h>

#define TPM_DEVICE "/dev/tpmrm0"
#define CC_LOG "/sys/firmware/acpi/tables/data/CCEL"
#define EVENT_LOG "/sys/kernel/security/tpm0/binary_bios_measurements"
#define AGENT_PORT 1024u

static int read_exactly(int fd, void *out, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = read(fd, (char *)out + done, size - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		done += (size_t)n;
	}
	return 0;
}

static int write_exactly(int fd, const void *data, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = send(fd, (const char *)data + done, size - done, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		done += (size_t)n;
	}
	return 0;
}

static int answer(int fd, uint32_t type, uint32_t id, const char *text)
{
	const struct wire_frame f = { .type = type, .id = id, .size = (uint32_t)strlen(text) };
	uint8_t header[WIRE_HEADER];

	wire_header(&f, header);
	if (write_exactly(fd, header, sizeof(header)) < 0)
		return -1;
	return write_exactly(fd, text, f.size);
}

static int serve_evidence(const struct agent *a, int fd, const struct wire_frame *f)
{
	uint8_t nonce[WIRE_NONCE_MAX];
	struct err e = { 0 };
	char *text = NULL;

	if (f->size < WIRE_NONCE_MIN || f->size > WIRE_NONCE_MAX ||
	    read_exactly(fd, nonce, f->size) < 0)
		return -1;
	int status = agent_evidence(a, nonce, f->size, &text, &e);
	if (status == 0 && strlen(text) > WIRE_PAYLOAD_MAX)
		status = err_set(&e, EX_GUEST, "agent: evidence larger than the channel takes");
	int sent = status == 0 ? answer(fd, WIRE_EVIDENCE, f->id, text)
			       : answer(fd, WIRE_ERROR, f->id, e.text);
	free(text);
	return sent;
}

static int serve_data_key(const struct agent *a, struct data_key_port *port, int fd,
			  const struct wire_frame *f)
{
	uint8_t wrapped[WRAPPED_KEY];
	struct err e = { 0 };

	if (f->size != sizeof(wrapped) || read_exactly(fd, wrapped, sizeof(wrapped)) < 0)
		return -1;
	if (data_key_take(port, a->key, wrapped, sizeof(wrapped), &e) < 0) {
		fprintf(stderr, "pavise-agent: %s\n", e.text);
		return answer(fd, WIRE_ERROR, f->id, e.text);
	}
	fprintf(stderr, "pavise-agent: data key: taken\n");
	return answer(fd, WIRE_DATA_KEY_TAKEN, f->id, "");
}

/* 0: answered; -1: the stream is over or was malformed, close it. */
static int serve_one(const struct agent *a, struct data_key_port *port, int fd)
{
	uint8_t header[WIRE_HEADER];
	struct wire_frame f;
	struct err e = { 0 };

	if (read_exactly(fd, header, sizeof(header)) < 0 || wire_parse(header, &f, &e) < 0)
		return -1;
	if (f.type == WIRE_EVIDENCE_REQUEST)
		return serve_evidence(a, fd, &f);
	if (f.type == WIRE_DATA_KEY)
		return serve_data_key(a, port, fd, &f);
	return -1;
}

static int connect_host(uint32_t port)
{
	const struct sockaddr_vm host = { .svm_family = AF_VSOCK,
					  .svm_cid = VMADDR_CID_HOST,
					  .svm_port = port };
	int fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (connect(fd, (const struct sockaddr *)&host, sizeof(host)) == 0)
		return fd;
	int cause = errno;
	close(fd);
	errno = cause;
	return -1;
}

static void serve_for_ever(const struct agent *a, struct data_key_port *key, uint32_t port)
{
	const struct timespec pause = { .tv_nsec = 200000000 };
	int said = 0;

	for (;;) {
		int fd = connect_host(port);
		if (fd < 0 && said++ == 0)
			fprintf(stderr, "pavise-agent: host port %u: %s: retrying\n", port,
				strerror(errno));
		if (fd >= 0) {
			fprintf(stderr, "pavise-agent: connected\n");
			while (serve_one(a, key, fd) == 0)
				;
			close(fd);
		}
		nanosleep(&pause, NULL);
	}
}

/* securityfs and the tables of ACPI report no size: read it to its end, bounded. hint: why it may
 * be missing. */
static int read_event_log(const char *path, const char *hint, uint8_t **out, size_t *size,
			  struct err *e)
{
	FILE *f = fopen(path, "re");

	if (f == NULL)
		return err_errno(e, EX_GUEST, errno, "event log %s: cannot open: %s", path, hint);
	uint8_t *data = malloc(AGENT_EVENT_LOG_MAX + 1);
	size_t n = data != NULL ? fread(data, 1, AGENT_EVENT_LOG_MAX + 1, f) : 0;
	int bad = data == NULL || ferror(f) || n == 0 || n > AGENT_EVENT_LOG_MAX;
	fclose(f);
	if (bad) {
		free(data);
		return err_set(e, EX_GUEST,
			       "event log %s: empty, unreadable or larger than %u bytes", path,
			       AGENT_EVENT_LOG_MAX);
	}
	*out = data;
	*size = n;
	return 0;
}

static int open_tcti(const char *device, TSS2_TCTI_CONTEXT **out, struct err *e)
{
	size_t size = 0;

	if (Tss2_Tcti_Device_Init(NULL, &size, device) != TSS2_RC_SUCCESS)
		return err_set(e, EX_GUEST, "TPM %s: no device interface", device);
	TSS2_TCTI_CONTEXT *tcti = calloc(1, size);
	if (tcti == NULL)
		return err_set(e, EX_GUEST, "agent: out of memory");
	TSS2_RC rc = Tss2_Tcti_Device_Init(tcti, &size, device);
	if (rc != TSS2_RC_SUCCESS) {
		free(tcti);
		return err_set(e, EX_GUEST,
			       "TPM %s: cannot open (0x%x): does the guest have a vTPM?", device,
			       rc);
	}
	*out = tcti;
	return 0;
}

/* 1: there is a TPM; 0: a confidential guest goes without. */
static int has_tpm(const struct agent *a, const char *device)
{
	return a->tee == NULL || access(device, F_OK) == 0;
}

static int open_tpm(struct agent *a, const char *device, const char *log_path, struct err *e)
{
	TSS2_TCTI_CONTEXT *tcti = NULL;
	uint8_t *log = NULL;
	int r = read_event_log(log_path, "mount securityfs first", &log, &a->event_log_size, e);

	a->event_log = log;
	if (r == 0)
		r = open_tcti(device, &tcti, e);
	return r == 0 ? agent_tpm_open(tcti, &a->tpm, e) : r;
}

/* The log of a trust domain's registers, which firmware announces by the table CCEL: a verifier can
 * do without, and says what it then could not tell. */
static int open_cc_log(struct agent *a, const char *path, struct err *e)
{
	uint8_t *log = NULL;

	if (a->tee == NULL || a->tee->kind != TEE_TDX || access(path, F_OK) != 0)
		return 0;
	int r = read_event_log(path, "run the agent as root", &log, &a->cc_log_size, e);
	a->cc_log = log;
	if (r == 0 && a->cc_log_size > AGENT_CC_LOG_MAX)
		r = err_set(e, EX_GUEST, "event log %s: larger than %u bytes", path,
			    AGENT_CC_LOG_MAX);
	return r;
}

static const char *tee_name(const struct agent *a)
{
	if (a->tee == NULL)
		return "none";
	return a->tee->kind == TEE_TDX ? "TDX, " : "SEV-SNP, ";
}

static int run(const char *device, const char *log_path, uint32_t port, struct data_key_port *key,
	       struct err *e)
{
	struct agent_tee tee;
	struct agent a = { 0 };
	int r = agent_tee_open(&tee, e);

	if (r < 0)
		return r;
	if (r == 1)
		a.tee = &tee;
	fprintf(stderr, "pavise-agent: TEE: %s%s\n", tee_name(&a), r == 1 ? tee.provider : "");
	if ((r = agent_make_key(&a.key, e)) < 0 || (r = open_cc_log(&a, CC_LOG, e)) < 0 ||
	    (has_tpm(&a, device) && (r = open_tpm(&a, device, log_path, e)) < 0))
		return r;
	serve_for_ever(&a, key, port);
	return 0;
}

static int usage(void)
{
	puts("usage: pavise-agent [tpm=DEVICE] [event-log=FILE] [port=N]\n"
	     "                    [data-key=FD data-key-id=HEX]\n"
	     "Runs inside a guest and answers `pavise attest` on the host. data-key is the socket\n"
	     "of the guest's init, which waits for the key of that id.");
	return EX_OK;
}

static int set_key_id(const char *value, struct data_key_port *key, bool *has, struct err *e)
{
	*has = hex_decode(value, key->id, sizeof(key->id));
	return *has ? 0 : err_set(e, EX_USAGE_ERROR, "data-key-id: needs 64 hexadecimal digits");
}

int main(int argc, char **argv)
{
	const char *device = TPM_DEVICE, *log_path = EVENT_LOG, *value;
	uint64_t port = AGENT_PORT;
	struct data_key_port key = { .init = -1 };
	bool has_id = false;
	struct err e = { 0 };

	for (int i = 1; i < argc && e.status == EX_OK; i++) {
		if ((value = args_value(argv[i], "tpm")) != NULL)
			device = value;
		else if ((value = args_value(argv[i], "event-log")) != NULL)
			log_path = value;
		else if ((value = args_value(argv[i], "port")) != NULL)
			(void)args_u64("port", value, UINT32_MAX, &port, &e);
		else if ((value = args_value(argv[i], "data-key")) != NULL)
			(void)args_fd("data-key", value, &key.init, &e);
		else if ((value = args_value(argv[i], "data-key-id")) != NULL)
			(void)set_key_id(value, &key, &has_id, &e);
		else if (strcmp(argv[i], "--help") == 0)
			return usage();
		else
			(void)err_set(&e, EX_USAGE_ERROR, "%s: unknown argument: see --help",
				      argv[i]);
	}
	if (e.status == EX_OK && has_id != (key.init >= 0))
		(void)err_set(&e, EX_USAGE_ERROR, "data-key and data-key-id: both or none");
	if (e.status == EX_OK)
		(void)run(device, log_path, (uint32_t)port, &key, &e);
	return err_report(&e, "pavise-agent");
}
