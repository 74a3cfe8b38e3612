/* pavise-attest-front: the part of pavise-attestd that meets the network. Started by it only, as
 * an unprivileged user who owns nothing:
 *   pavise-attest-front label=L listen=FD broker=FD cert=FD key=FD log=FD rate=N burst=N
 *       seconds=N connections=N [client_ca=FD] [collateral=FD]
 * It seals itself before the first connection: no file, no new socket, no other program. */
#include "attest/front/api.h"
#include "attest/front/broker_wire.h"
#include "attest/front/server.h"
#include "attest/front/tls.h"
#include "common/args.h"
#include "common/json.h"
#include "common/seal.h"

#include <errno.h>
#include <linux/filter.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "seccomp/attest_front.h"

#define PROGRAM "pavise-attest-front"
#define COLLATERAL_MAX (8u << 20) /* bytes */
#define PER_CLIENT 8u		  /* connections of one client at a time */
#define GRACE_SECONDS 30u	  /* of a connection, beyond what a guest may take */

struct options {
	const char *label;
	int listen, broker, cert, key, log, client_ca, collateral;
	uint64_t rate, burst, seconds, connections;
};

static int take_argument(const char *arg, struct options *o, struct err *e)
{
	const struct {
		const char *name;
		int *fd;
		uint64_t *number;
	} keys[] = {
		{ "listen", &o->listen, NULL },	    { "broker", &o->broker, NULL },
		{ "cert", &o->cert, NULL },	    { "key", &o->key, NULL },
		{ "log", &o->log, NULL },	    { "client_ca", &o->client_ca, NULL },
		{ "collateral", &o->collateral, NULL }, { "rate", NULL, &o->rate },
		{ "burst", NULL, &o->burst },	    { "seconds", NULL, &o->seconds },
		{ "connections", NULL, &o->connections },
	};
	const char *value = args_value(arg, "label");

	if (value != NULL) {
		o->label = value;
		return 0;
	}
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		value = args_value(arg, keys[i].name);
		if (value != NULL && keys[i].fd != NULL)
			return args_fd(keys[i].name, value, keys[i].fd, e);
		if (value != NULL)
			return args_u64(keys[i].name, value, 100000, keys[i].number, e);
	}
	return err_set(e, EX_USAGE_ERROR, "%s: unknown argument: pavise-attestd starts this", arg);
}

static int take_arguments(char **argv, struct options *o, struct err *e)
{
	*o = (struct options){ .listen = -1, .broker = -1, .cert = -1, .key = -1, .log = -1,
			       .client_ca = -1, .collateral = -1 };
	for (argv++; *argv != NULL; argv++)
		if (take_argument(*argv, o, e) < 0)
			return -EX_USAGE_ERROR;
	if (o->label == NULL || o->listen < 0 || o->broker < 0 || o->cert < 0 || o->key < 0 ||
	    o->log < 0 || o->rate == 0 || o->burst == 0 || o->seconds == 0 || o->connections == 0)
		return err_set(e, EX_USAGE_ERROR,
			       "an argument is missing: pavise-attestd starts this");
	return 0;
}

static int check_descriptors(const struct options *o, struct err *e)
{
	int r = seal_check_label(o->label, e);

	if (r == 0)
		r = seal_check_fd("listen", o->listen, S_IFSOCK, e);
	if (r == 0)
		r = seal_check_fd("broker", o->broker, S_IFSOCK, e);
	if (r == 0)
		r = seal_check_fd("cert", o->cert, S_IFREG, e);
	return r == 0 ? seal_check_fd("key", o->key, S_IFREG, e) : r;
}

/* The whole of a regular file, with a NUL behind it; closes fd. */
static int read_all(int fd, char **out, struct err *e)
{
	struct stat st;
	size_t have = 0, size;
	ssize_t n = 1;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size < 1 ||
	    st.st_size > (off_t)COLLATERAL_MAX)
		return err_set(e, EX_MALFORMED, "--collateral: not a file of 1 byte to 8 MiB");
	size = (size_t)st.st_size;
	*out = malloc(size + 1);
	if (*out == NULL)
		return err_set(e, EX_HOST, "out of memory");
	while (have < size && (n = read(fd, *out + have, size - have)) > 0)
		have += (size_t)n;
	close(fd);
	(*out)[have] = '\0';
	if (have != size)
		return err_set(e, EX_MALFORMED, "--collateral: changed while it was read");
	/* It is part of every answer: what is no JSON would spoil them all. */
	json_t *j = NULL;
	int r = json_parse("--collateral", *out, size, &j, e);
	json_decref(j);
	return r;
}

static int seal(struct err *e)
{
	int r = seal_process(e);

	if (r == 0)
		r = seal_landlock(e);
	return r == 0 ? seal_seccomp(attest_front_filter,
					    sizeof(attest_front_filter) / sizeof(attest_front_filter[0]), 1, e) : r;
}

/* The parent has gone: without it there is nothing to serve. */
static void on_lost(void *base)
{
	event_base_loopbreak(base);
}

static int tell_ready(int broker, struct err *e)
{
	struct broker_request q = { .magic = BROKER_MAGIC, .type = BROKER_READY };

	if (write(broker, &q, sizeof(q)) != (ssize_t)sizeof(q))
		return err_errno(e, EX_INTERNAL, errno, "broker");
	return 0;
}

static int serve(const struct options *o, SSL_CTX *ctx, const char *collateral, struct err *e)
{
	struct server_limits limits = { .connections = (unsigned)o->connections,
					.connections_per_client = PER_CLIENT,
					.seconds = (unsigned)o->seconds + GRACE_SECONDS };
	static struct api api; /* large: a bucket for each client */
	struct event_base *base = event_base_new();
	struct server *server = NULL;

	if (base == NULL)
		return err_set(e, EX_INTERNAL, "libevent failed");
	limits_init(&api.limits, (uint32_t)o->rate, (uint32_t)o->burst);
	api.log = o->log;
	int r = fetcher_open(base, o->broker, (unsigned)o->seconds, collateral, on_lost, base,
			     &api.fetcher, e);
	if (r == 0)
		r = server_open(base, o->listen, ctx, &limits, api_handle, &api, &server, e);
	if (r == 0)
		r = seal(e);
	if (r == 0)
		r = tell_ready(o->broker, e);
	if (r == 0)
		event_base_dispatch(base);
	return r;
}

int main(int argc, char **argv)
{
	struct tls_files files;
	struct options o;
	struct err e = { 0 };
	SSL_CTX *ctx = NULL;
	char *collateral = NULL;
	size_t seed;

	(void)argc;
	signal(SIGPIPE, SIG_IGN);
	/* What opens a file at its first use: the Date of an answer, the seed of JSON's tables. */
	tzset();
	if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		return EX_HOST;
	json_object_seed(seed);
	int r = take_arguments(argv, &o, &e);
	if (r == 0)
		r = check_descriptors(&o, &e);
	files = (struct tls_files){ .cert = o.cert, .key = o.key, .client_ca = o.client_ca };
	if (r == 0)
		r = tls_open(&files, &ctx, &e);
	if (r == 0 && o.collateral >= 0)
		r = read_all(o.collateral, &collateral, &e);
	if (r == 0)
		r = serve(&o, ctx, collateral, &e);
	/* The process ends here: its memory goes with it. */
	return r < 0 ? err_report(&e, PROGRAM) : EX_OK;
}
