/* pavise-quote: asks the quote generation service of the host for a trust domain's quotes.
 *   pavise-quote label=L control=FD channel=FD log=FD qgs=unix dir=FD name=NAME
 *   pavise-quote label=L control=FD channel=FD log=FD qgs=vsock cid=N port=N
 * by the launcher only. */
#include "attest/quote/relay.h"
#include "common/args.h"
#include "common/record.h"
#include "common/seal.h"

#include <errno.h>
#include <linux/filter.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "seccomp/quote_unix.h"
#include "seccomp/quote_vsock.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct options {
	const char *label, *qgs, *name;
	const char *control, *channel, *log, *dir, *cid, *port;
};

static int split(int argc, char **argv, struct options *o, struct err *e)
{
	const struct {
		const char *name;
		const char **out;
	} keys[] = { { "label", &o->label },     { "control", &o->control },
		     { "channel", &o->channel }, { "log", &o->log },
		     { "qgs", &o->qgs },         { "dir", &o->dir },
		     { "name", &o->name },       { "cid", &o->cid },
		     { "port", &o->port } };

	for (int i = 1; i < argc; i++) {
		const char *value = NULL;
		size_t k = 0;
		while (k < COUNT(keys) && (value = args_value(argv[i], keys[k].name)) == NULL)
			k++;
		if (k == COUNT(keys) || *keys[k].out != NULL)
			return err_set(e, EX_USAGE_ERROR, "%.64s: unknown or repeated argument: "
				       "this program is for pavise-launch", argv[i]);
		*keys[k].out = value;
	}
	return 0;
}

static int take_fd(const char *key, const char *value, unsigned want, int *fd, struct err *e)
{
	if (value == NULL)
		return err_set(e, EX_USAGE_ERROR, "%s: not given", key);
	int rc = args_fd(key, value, fd, e);
	return rc == 0 ? seal_check_fd(key, *fd, want, e) : rc;
}

/* The jail's root is empty; the service's directory is the one place that names can lead to. */
static int enter_directory(const struct options *o, struct relay *r, struct err *e)
{
	int dir = -1;

	if (o->name == NULL || o->cid != NULL || o->port != NULL)
		return err_set(e, EX_USAGE_ERROR, "qgs=unix goes with dir and name");
	int rc = service_check_name(o->name, e);
	if (rc == 0)
		rc = take_fd("dir", o->dir, S_IFDIR, &dir, e);
	if (rc != 0)
		return rc;
	if (fchdir(dir) != 0)
		return err_errno(e, EX_HOST, errno, "QGS: its directory cannot be entered (may "
				 "others search it?)");
	close(dir);
	r->service = (struct service){ .family = AF_UNIX, .name = o->name };
	return 0;
}

static int take_service(const struct options *o, struct relay *r, struct err *e)
{
	uint64_t cid = 0, port = 0;
	int rc;

	if (o->qgs != NULL && strcmp(o->qgs, "unix") == 0)
		return enter_directory(o, r, e);
	if (o->qgs == NULL || strcmp(o->qgs, "vsock") != 0 || o->cid == NULL || o->port == NULL ||
	    o->dir != NULL || o->name != NULL)
		return err_set(e, EX_USAGE_ERROR, "qgs: unix with dir and name, or vsock with cid "
			       "and port");
	if ((rc = args_u64("cid", o->cid, UINT32_MAX, &cid, e)) != 0 ||
	    (rc = args_u64("port", o->port, UINT32_MAX, &port, e)) != 0)
		return rc;
	r->service = (struct service){ .family = AF_VSOCK, .cid = (uint32_t)cid,
				       .port = (uint32_t)port };
	return 0;
}

/* Nothing that follows needs more than serving does: the one filter is in place before any byte is
 * read, not from RECORD_SEAL on. */
static int seal(const struct relay *r, struct err *e)
{
	int rc = seal_process(e);

	if (rc == 0)
		rc = seal_landlock(e);
	if (rc != 0)
		return rc;
	return r->service.family == AF_UNIX ?
		       seal_seccomp(quote_unix_filter, COUNT(quote_unix_filter), 0, e) :
		       seal_seccomp(quote_vsock_filter, COUNT(quote_vsock_filter), 0, e);
}

static int run(int argc, char **argv, struct err *e)
{
	static struct relay r;
	struct options o = { 0 };
	int rc = split(argc, argv, &o, e);

	relay_init(&r);
	if (rc == 0 && o.label == NULL)
		rc = err_set(e, EX_USAGE_ERROR, "label: not given");
	if (rc == 0)
		rc = seal_check_label(o.label, e);
	if (rc == 0)
		rc = take_fd("log", o.log, S_IFREG, &r.log, e);
	if (rc == 0)
		rc = take_fd("control", o.control, S_IFSOCK, &r.control, e);
	if (rc == 0)
		rc = take_fd("channel", o.channel, S_IFSOCK, &r.channel, e);
	if (rc == 0)
		rc = take_service(&o, &r, e);
	if (rc == 0)
		rc = seal(&r, e);
	if (rc == 0)
		rc = record_send(r.control, RECORD_READY, 0, 0, e);
	if (rc == 0)
		rc = relay_serve(&r, e);
	return rc;
}

int main(int argc, char **argv)
{
	struct err e = { 0 };

	signal(SIGPIPE, SIG_IGN);
	int rc = run(argc, argv, &e);
	/* Not exit(): handlers have no system calls left. */
	/* Standard error is the log. */
	_exit(rc < 0 ? err_report(&e, "pavise-quote") : EX_OK);
}
