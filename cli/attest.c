/* pavise attest: asks the agent inside a running guest for evidence about a nonce and writes it
 * to a file, or brings it the wrapped key of its data disk. What the guest answers is hostile until
 * `pavise verify` has judged it: here it is only bounded and checked to be JSON. */
#include "attest/agent/answer.h"
#include "cli/control_client.h"
#include "common/args.h"
#include "common/bytes.h"
#include "common/file.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct options {
	const char *name, *output, *run_dir, *send_key;
	uint8_t nonce[WIRE_NONCE_MAX];
	size_t nonce_size;
	uint8_t key[WIRE_DATA_KEY_SIZE]; /* of send_key: wrapped, no secret */
	uint64_t timeout; /* seconds */
};

static int usage(void)
{
	puts("usage: pavise attest NAME --nonce HEX -o FILE [--timeout SECONDS] [--run-dir DIR]\n"
	     "       pavise attest NAME --send-key FILE [--timeout SECONDS] [--run-dir DIR]\n"
	     "Asks the agent in guest NAME for evidence about the nonce (16 to 64 bytes), or\n"
	     "brings it the key of its data disk, as pavise image wrap-key made it, and waits\n"
	     "until the disk is open.");
	return EX_OK;
}

static int set_nonce(struct options *o, const char *text, struct err *e)
{
	size_t n = strlen(text) / 2;

	if (n < WIRE_NONCE_MIN || n > WIRE_NONCE_MAX || !hex_decode(text, o->nonce, n))
		return err_set(e, EX_USAGE_ERROR, "--nonce: needs 16 to 64 bytes in hexadecimal");
	o->nonce_size = n;
	return 0;
}

static int parse(int argc, char **argv, struct options *o, struct err *e)
{
	static const struct option longs[] = {
		{ "nonce", required_argument, NULL, 'n' },
		{ "output", required_argument, NULL, 'o' },
		{ "send-key", required_argument, NULL, 'k' },
		{ "timeout", required_argument, NULL, 't' },
		{ "run-dir", required_argument, NULL, 'r' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int c, status = 0;

	opterr = 0;
	while (status == 0 && (c = getopt_long(argc, argv, ":o:h", longs, NULL)) != -1) {
		if (c == 'n')
			status = set_nonce(o, optarg, e);
		else if (c == 'o')
			o->output = optarg;
		else if (c == 'k')
			o->send_key = optarg;
		else if (c == 't')
			status = args_u64("--timeout", optarg, 3600, &o->timeout, e);
		else if (c == 'r')
			o->run_dir = optarg;
		else if (c == 'h')
			exit(usage());
		else
			status = err_set(e, EX_USAGE_ERROR, "%s: %s: see pavise attest --help",
					 argv[optind - 1],
					 c == ':' ? "needs a value" : "unknown option");
	}
	if (status < 0)
		return status;
	bool asks = o->nonce_size != 0 && o->output != NULL && o->send_key == NULL;
	bool brings = o->nonce_size == 0 && o->output == NULL && o->send_key != NULL;
	if (optind != argc - 1 || !(asks || brings) || o->timeout == 0)
		return err_set(e, EX_USAGE_ERROR,
			       "attest: needs one NAME, either --nonce and -o or --send-key, and a "
			       "--timeout above 0: see pavise attest --help");
	o->name = argv[optind];
	return 0;
}

/* Milliseconds until the deadline, 0 when it has passed. */
static int left_ms(const struct timespec *deadline)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	long long ms = (deadline->tv_sec - now.tv_sec) * 1000LL +
		       (deadline->tv_nsec - now.tv_nsec) / 1000000;
	return ms <= 0 ? 0 : ms > 3600000 ? 3600000 : (int)ms;
}

/* Waits for bytes and feeds them: as answer_took. */
static int feed(int fd, struct answer *a, const struct timespec *deadline, struct err *e)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	size_t size;
	uint8_t *space = answer_space(a, &size);
	int ready;

	do
		ready = poll(&p, 1, left_ms(deadline));
	while (ready < 0 && errno == EINTR);
	if (ready == 0)
		return err_set(e, EX_GUEST,
			       "agent: no answer in time: is pavise-agent running in the guest? "
			       "(--timeout)");
	ssize_t n = recv(fd, space, size, 0);
	if (n < 0)
		return err_errno(e, EX_GUEST, errno, "agent channel: cannot read");
	if (n == 0)
		return err_set(e, EX_GUEST, "agent channel: closed: the guest has ended");
	return answer_took(a, (size_t)n, e);
}

static int exchange(int fd, const struct options *o, struct answer *a, struct err *e)
{
	uint8_t request[WIRE_HEADER + WIRE_DATA_KEY_SIZE];
	struct timespec deadline;
	uint32_t id;

	clock_gettime(CLOCK_MONOTONIC, &deadline);
	deadline.tv_sec += (time_t)o->timeout;
	if (getrandom(&id, sizeof(id), 0) != sizeof(id))
		return err_errno(e, EX_HOST, errno, "getrandom");
	size_t n = o->send_key != NULL ? answer_key_request(id, o->key, request)
				       : answer_request(id, o->nonce, o->nonce_size, request);
	if (send(fd, request, n, MSG_NOSIGNAL) != (ssize_t)n)
		return err_errno(e, EX_GUEST, errno, "agent channel: cannot send");
	int status = answer_begin(a, id, e);
	if (o->send_key != NULL)
		a->type = WIRE_DATA_KEY_TAKEN;
	while (status == 0)
		status = feed(fd, a, &deadline, e);
	return status < 0 ? status : 0;
}

static int write_evidence(const struct options *o, const struct host_claims *host,
			  struct answer *a, struct err *e)
{
	size_t size;
	const char *text = answer_text(a, &size);
	char *out = NULL;
	int status = answer_evidence(text, size, host, NULL, &out, e);

	if (status == 0)
		status = file_write("evidence", o->output, out, strlen(out), 0644, e);
	free(out);
	return status;
}

static int read_key(struct options *o, struct err *e)
{
	void *data = NULL;
	size_t size = 0;
	int status = file_read("wrapped key", o->send_key, sizeof(o->key), 0, &data, &size, e);

	if (status == 0 && size != sizeof(o->key))
		status = err_set(e, EX_MALFORMED, "wrapped key %s: %zu bytes instead of %zu: make "
				 "it with pavise image wrap-key", o->send_key, size,
				 sizeof(o->key));
	if (status == 0)
		memcpy(o->key, data, sizeof(o->key));
	free(data);
	return status;
}

/* The agent channel is leased to this control connection: it must stay open meanwhile. */
static int open_channel(int control, int *channel, struct host_claims *host, struct err *e)
{
	struct control_record answer;
	int status = control_ask(control, CONTROL_STATUS, &answer, NULL, e);

	if (status < 0)
		return status;
	control_isolation(&answer, &host->degraded, &host->missing);
	status = control_ask(control, CONTROL_ATTEST_CHANNEL, &answer, channel, e);
	if (status == 0 && *channel < 0)
		status = err_set(e, EX_INTERNAL, "control socket: no channel came with the answer");
	return status;
}

static int attest(const struct options *o, struct err *e)
{
	struct host_claims host = { .vm = o->name, .degraded = true };
	int control = -1, channel = -1;
	struct answer answer = { 0 };
	int status = control_connect(o->run_dir, o->name, &control, e);

	if (status < 0)
		return status;
	status = open_channel(control, &channel, &host, e);
	if (status == 0)
		status = exchange(channel, o, &answer, e);
	if (status == 0 && o->send_key == NULL)
		status = write_evidence(o, &host, &answer, e);
	answer_free(&answer);
	if (channel >= 0)
		close(channel);
	close(control);
	return status;
}

int main(int argc, char **argv)
{
	struct options o = { .timeout = 60 };
	struct err e = { 0 };

	if (parse(argc, argv, &o, &e) < 0 || (o.send_key != NULL && read_key(&o, &e) < 0) ||
	    attest(&o, &e) < 0)
		return err_report(&e, "pavise attest");
	if (o.send_key != NULL)
		printf("%s: has its key, the data disk is open\n", o.name);
	else
		printf("%s: evidence written to %s\n", o.name, o.output);
	return EX_OK;
}
