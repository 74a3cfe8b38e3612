/* pavise attestd: serves the evidence of running guests over TLS. Two processes: this one reaches
 * the launchers' sockets and has no network, the front (attest/front) has the network and nothing
 * else. */
#include "cli/broker.h"
#include "cli/front_start.h"
#include "common/args.h"
#include "common/seal.h"
#include "sandbox/jail.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/filter.h>
#include <netdb.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "seccomp/attest_broker.h"

#define PROGRAM "pavise attestd"
#define BACKLOG 64
#define LEASE_GRACE 5 /* seconds beyond what the front gives a guest */

static const char usage_text[] =
	"usage: pavise attestd --listen ADDRESS:PORT --cert F --key F [options]\n"
	"\n"
	"Serves evidence of running guests: POST /v1/vms/NAME/evidence over TLS 1.3\n"
	"(docs/openapi.json). Start it as root: its two processes give their rights up.\n"
	"\n"
	"  --listen A:P       numeric address and port; IPv6 in brackets\n"
	"  --cert F, --key F  the server's certificate chain and its key, PEM\n"
	"  --client-ca F      only clients with a certificate of these, PEM\n"
	"  --collateral F     a JSON object (pavise collateral pack) for every answer\n"
	"  --user NAME        whom the network side runs as (nobody)\n"
	"  --rate N           requests a client may make in a minute (60)\n"
	"  --burst N          and at once (10)\n"
	"  --connections N    at a time (128)\n"
	"  --timeout SECONDS  that a guest may take to answer (60)\n"
	"  --run-dir DIR      of the launchers (/run/pavise)\n"
	"  --isolation required|degraded   degraded: without SELinux\n"
	"\n"
	"Exit status: 0 ended by SIGTERM or SIGINT, 3 a file is malformed, 5 a host problem, 64 wrong\n"
	"option or value.\n";

struct options {
	const char *listen, *cert, *key, *client_ca, *collateral, *user, *run_dir;
	uint64_t rate, burst, connections, timeout;
	bool degraded, help;
};

enum {
	OPT_LISTEN = 256, OPT_CERT, OPT_KEY, OPT_CLIENT_CA, OPT_COLLATERAL, OPT_USER, OPT_RATE,
	OPT_BURST, OPT_CONNECTIONS, OPT_TIMEOUT, OPT_RUN_DIR, OPT_ISOLATION, OPT_HELP
};

static const struct option longs[] = {
	{ "listen", required_argument, NULL, OPT_LISTEN },
	{ "cert", required_argument, NULL, OPT_CERT },
	{ "key", required_argument, NULL, OPT_KEY },
	{ "client-ca", required_argument, NULL, OPT_CLIENT_CA },
	{ "collateral", required_argument, NULL, OPT_COLLATERAL },
	{ "user", required_argument, NULL, OPT_USER },
	{ "rate", required_argument, NULL, OPT_RATE },
	{ "burst", required_argument, NULL, OPT_BURST },
	{ "connections", required_argument, NULL, OPT_CONNECTIONS },
	{ "timeout", required_argument, NULL, OPT_TIMEOUT },
	{ "run-dir", required_argument, NULL, OPT_RUN_DIR },
	{ "isolation", required_argument, NULL, OPT_ISOLATION },
	{ "help", no_argument, NULL, OPT_HELP },
	{ 0 },
};

static int take_number(const char *name, uint64_t most, uint64_t *out, struct err *e)
{
	int r = args_u64(name, optarg, most, out, e);

	return r == 0 && *out == 0 ? err_set(e, EX_USAGE_ERROR, "%s: must be at least 1", name) : r;
}

static int take_isolation(struct options *o, struct err *e)
{
	o->degraded = strcmp(optarg, "degraded") == 0;
	if (o->degraded || strcmp(optarg, "required") == 0)
		return 0;
	return err_set(e, EX_USAGE_ERROR, "--isolation %.40s: not required or degraded", optarg);
}

static int take_option(struct options *o, int c, struct err *e)
{
	const struct {
		int option;
		const char **value;
	} texts[] = {
		{ OPT_LISTEN, &o->listen },	    { OPT_CERT, &o->cert },
		{ OPT_KEY, &o->key },		    { OPT_CLIENT_CA, &o->client_ca },
		{ OPT_COLLATERAL, &o->collateral }, { OPT_USER, &o->user },
		{ OPT_RUN_DIR, &o->run_dir },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].option == c) {
			*texts[i].value = optarg;
			return 0;
		}
	switch (c) {
	case OPT_RATE:
		return take_number("--rate", 60000, &o->rate, e);
	case OPT_BURST:
		return take_number("--burst", 10000, &o->burst, e);
	case OPT_CONNECTIONS:
		return take_number("--connections", 256, &o->connections, e);
	case OPT_TIMEOUT:
		return take_number("--timeout", 600, &o->timeout, e);
	case OPT_ISOLATION:
		return take_isolation(o, e);
	case OPT_HELP:
		o->help = true;
		return 0;
	default:
		return err_set(e, EX_USAGE_ERROR, "unknown or incomplete option: see --help");
	}
}

static int parse(int argc, char **argv, struct options *o, struct err *e)
{
	int c, r = 0;

	*o = (struct options){ .listen = "", .user = "nobody", .rate = 60, .burst = 10,
			       .connections = 128, .timeout = 60 };
	opterr = 0;
	while (r == 0 && !o->help && (c = getopt_long(argc, argv, "", longs, NULL)) != -1)
		r = take_option(o, c, e);
	if (r < 0 || o->help)
		return r;
	if (optind != argc || o->listen[0] == '\0' || o->cert == NULL || o->key == NULL)
		return err_set(e, EX_USAGE_ERROR,
			       "needs --listen, --cert and --key, and no argument: see --help");
	return 0;
}

/* "ADDRESS:PORT" or "[ADDRESS]:PORT" cut in two; both numeric, so that no resolver is asked. */
static int resolve(const char *text, struct addrinfo **out, struct err *e)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
	char host[64], *at = host;
	const char *colon = strrchr(text, ':');
	size_t n = colon == NULL ? 0 : (size_t)(colon - text);

	hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
	if (n == 0 || n >= sizeof(host))
		return err_set(e, EX_USAGE_ERROR, "--listen %.60s: not ADDRESS:PORT", text);
	memcpy(host, text, n);
	host[n] = '\0';
	if (host[0] == '[' && host[n - 1] == ']') {
		host[n - 1] = '\0';
		at = host + 1;
	} else if (strchr(host, ':') != NULL) {
		return err_set(e, EX_USAGE_ERROR, "--listen %.60s: put IPv6 in brackets", text);
	}
	if (getaddrinfo(at, colon + 1, &hints, out) != 0)
		return err_set(e, EX_USAGE_ERROR,
			       "--listen %.60s: not a numeric address and a port", text);
	return 0;
}

static int open_listener(const char *text, int *fd, struct err *e)
{
	struct addrinfo *a = NULL;
	int one = 1;
	int r = resolve(text, &a, e);

	if (a == NULL)
		return r;
	*fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (*fd < 0 || setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0 ||
	    bind(*fd, a->ai_addr, a->ai_addrlen) != 0 || listen(*fd, BACKLOG) != 0)
		r = err_errno(e, EX_HOST, errno, "--listen %s: cannot be bound", text);
	freeaddrinfo(a);
	return r;
}

static int open_file(const char *what, const char *path, int *fd, struct err *e)
{
	*fd = -1;
	if (path == NULL)
		return 0;
	*fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	return *fd >= 0 ? 0 : err_errno(e, EX_HOST, errno, "%s %s: cannot be opened", what, path);
}

static int find_user(const char *name, struct front_spec *s, struct err *e)
{
	const struct passwd *p = getpwnam(name);

	if (p == NULL || p->pw_uid == 0)
		return err_set(e, EX_USAGE_ERROR, "--user %.40s: %s", name,
			       p == NULL ? "no such user" : "root is what it must not be");
	s->uid = p->pw_uid;
	s->gid = p->pw_gid;
	return 0;
}

static int open_all(const struct options *o, struct front_spec *s, struct err *e)
{
	int r = find_user(o->user, s, e);

	if (r == 0 && geteuid() != 0)
		r = err_set(e, EX_HOST, "start it as root: it gives its rights up itself");
	if (r == 0)
		r = open_file("--cert", o->cert, &s->cert, e);
	if (r == 0)
		r = open_file("--key", o->key, &s->key, e);
	if (r == 0)
		r = open_file("--client-ca", o->client_ca, &s->client_ca, e);
	if (r == 0)
		r = open_file("--collateral", o->collateral, &s->collateral, e);
	return r == 0 ? open_listener(o->listen, &s->listen, e) : r;
}

/* What the front was given is not for us any more. */
static void close_all(const struct front_spec *s)
{
	const int fds[] = { s->listen, s->cert, s->key, s->client_ca, s->collateral };

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

static int seal(struct err *e)
{
	int r = jail_capabilities();

	if (r < 0)
		return err_errno(e, EX_HOST, -r, "cannot drop capabilities");
	size_t n = sizeof(attest_broker_filter) / sizeof(attest_broker_filter[0]);
	r = seal_process(e);
	if (r == 0)
		r = seal_landlock(e);
	return r == 0 ? seal_seccomp(attest_broker_filter, n, 1, e) : r;
}

static void on_ready(void *arg)
{
	const struct options *o = arg;

	char line[160];
	int n = snprintf(line, sizeof(line), "attestd: serving on %s (isolation %s)\n", o->listen,
			 o->degraded ? "degraded" : "required");

	/* Not through the C library's stream, which would ask for more than the filter allows. */
	if (n > 0 && write(STDOUT_FILENO, line, (size_t)n) < 0)
		return;
}

/* The front ended: with its status when it never served, else as a host problem. */
static int front_ended(pid_t pid, struct err *e)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
		return err_set(e, WEXITSTATUS(status), "the front ended: see above");
	if (WIFSIGNALED(status))
		return err_set(e, EX_HOST, "the front was ended by signal %d", WTERMSIG(status));
	return err_set(e, EX_HOST, "the front ended");
}

static int serve(struct options *o, struct err *e)
{
	static struct broker b; /* large: a row of leases */
	struct front_spec s = { .listen = -1, .required = !o->degraded, .rate = o->rate,
				.burst = o->burst, .seconds = o->timeout,
				.connections = o->connections };
	pid_t pid = -1;

	int r = open_all(o, &s, e);
	if (r == 0)
		r = front_start(&s, &b.front, &pid, e);
	if (r < 0)
		return r;
	close_all(&s);
	b.run_dir = o->run_dir;
	b.seconds = (unsigned)o->timeout + LEASE_GRACE;
	b.ready = on_ready;
	b.arg = o;
	r = seal(e);
	if (r == 0)
		r = broker_run(&b, e);
	/* Its death signal is our end: nothing is left behind, whatever happened here. */
	return r < 0 ? r : front_ended(pid, e);
}

static void on_signal(int number)
{
	(void)number;
	_exit(EX_OK);
}

int main(int argc, char **argv)
{
	static struct options o; /* the broker keeps its address */
	struct err e = { 0 };

	signal(SIGPIPE, SIG_IGN);
	signal(SIGTERM, on_signal);
	signal(SIGINT, on_signal);
	int r = parse(argc, argv, &o, &e);
	if (r == 0 && o.help)
		return fputs(usage_text, stdout) < 0 ? EX_HOST : EX_OK;
	if (r == 0)
		r = serve(&o, &e);
	return r < 0 ? err_report(&e, PROGRAM) : EX_OK;
}
