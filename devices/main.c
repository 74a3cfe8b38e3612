/* pavise-dev: one device's back end, one process. Started by the launcher only:
 *   pavise-dev blk label=L control=FD vhost=FD log=FD disk=FD [readonly=1]
 *   pavise-dev vsock label=L control=FD vhost=FD log=FD channel=FD cid=N port=N */
#include "common/args.h"
#include "common/record.h"
#include "common/seal.h"
#include "devices/blk.h"
#include "devices/loop.h"
#include "devices/vsock.h"

#include <linux/filter.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "seccomp/dev_blk.h"
#include "seccomp/dev_setup.h"
#include "seccomp/dev_vsock.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum kind { KIND_BLK, KIND_VSOCK };

/* One entry per key that any kind knows; a value of -1 or NULL means "not given". */
struct options {
	enum kind kind;
	const char *label;
	int control, vhost, log, disk, channel;
	uint64_t readonly, cid, port;
	unsigned seen; /* bit per key of the table */
};

struct key {
	const char *name;
	unsigned kinds; /* bit per kind that takes it */
	bool required;
	int fd_offset;  /* of an int in struct options, or -1 */
	int u64_offset; /* of a uint64_t, or -1 */
	uint64_t max;
};

#define BLK_ONLY (1u << KIND_BLK)
#define VSOCK_ONLY (1u << KIND_VSOCK)
#define ANY_KIND (BLK_ONLY | VSOCK_ONLY)
#define AT(member) ((int)offsetof(struct options, member))

static const struct key keys[] = {
	{ "label", ANY_KIND, true, -1, -1, 0 },
	{ "control", ANY_KIND, true, AT(control), -1, 0 },
	{ "vhost", ANY_KIND, true, AT(vhost), -1, 0 },
	{ "log", ANY_KIND, true, AT(log), -1, 0 },
	{ "disk", BLK_ONLY, true, AT(disk), -1, 0 },
	{ "readonly", BLK_ONLY, false, -1, AT(readonly), 1 },
	{ "channel", VSOCK_ONLY, true, AT(channel), -1, 0 },
	{ "cid", VSOCK_ONLY, true, -1, AT(cid), VSOCK_CID_MAX },
	{ "port", VSOCK_ONLY, true, -1, AT(port), VSOCK_PORT_MAX },
};

static int take_value(const struct key *key, const char *value, struct options *o, struct err *e)
{
	char *base = (char *)o;

	if (key->fd_offset >= 0)
		return args_fd(key->name, value, (int *)(void *)(base + key->fd_offset), e);
	if (key->u64_offset >= 0)
		return args_u64(key->name, value, key->max,
				(uint64_t *)(void *)(base + key->u64_offset), e);
	o->label = value;
	return 0;
}

static int take_argument(const char *arg, struct options *o, struct err *e)
{
	for (unsigned i = 0; i < COUNT(keys); i++) {
		const char *value = args_value(arg, keys[i].name);

		if (value == NULL || (keys[i].kinds & (1u << o->kind)) == 0)
			continue;
		if ((o->seen & (1u << i)) != 0)
			return err_set(e, EX_USAGE_ERROR, "%s: given twice: give it once",
				       keys[i].name);
		o->seen |= 1u << i;
		return take_value(&keys[i], value, o, e);
	}
	return err_set(e, EX_USAGE_ERROR, "%.64s: unknown argument: the launcher and this program "
		       "must be of one version", arg);
}

static int parse(int argc, char **argv, struct options *o, struct err *e)
{
	*o = (struct options){ .control = -1, .vhost = -1, .log = -1, .disk = -1, .channel = -1 };
	if (argc < 2 || (strcmp(argv[1], "blk") != 0 && strcmp(argv[1], "vsock") != 0))
		return err_set(e, EX_USAGE_ERROR, "device: neither blk nor vsock: "
			       "this program is started by pavise-launch");
	o->kind = strcmp(argv[1], "blk") == 0 ? KIND_BLK : KIND_VSOCK;
	for (int i = 2; i < argc; i++) {
		int rc = take_argument(argv[i], o, e);
		if (rc < 0)
			return rc;
	}
	for (unsigned i = 0; i < COUNT(keys); i++)
		if (keys[i].required && (keys[i].kinds & (1u << o->kind)) != 0 &&
		    (o->seen & (1u << i)) == 0)
			return err_set(e, EX_USAGE_ERROR, "%s: not given", keys[i].name);
	if (o->kind == KIND_VSOCK && (o->cid < VSOCK_CID_MIN || o->port == 0))
		return err_set(e, EX_USAGE_ERROR, "cid, port: out of range: cid is 3 or more, "
			       "port 1 or more");
	return 0;
}

static int check_descriptors(const struct options *o, struct err *e)
{
	int rc = seal_check_fd("control", o->control, S_IFSOCK, e);

	if (rc == 0)
		rc = seal_check_fd("vhost", o->vhost, S_IFSOCK, e);
	if (rc == 0)
		rc = seal_check_fd("log", o->log, S_IFREG, e);
	if (rc == 0 && o->kind == KIND_BLK)
		rc = seal_check_fd("disk", o->disk, S_IFREG, e);
	if (rc == 0 && o->kind == KIND_VSOCK)
		rc = seal_check_fd("channel", o->channel, S_IFSOCK, e);
	return rc;
}

static bool serve_blk(void *device, struct virtqueue *queues)
{
	return blk_serve(device, &queues[0]);
}

static bool serve_vsock(void *device, struct virtqueue *queues)
{
	return vsock_serve(device, queues);
}

static void watch_vsock(const void *device, struct pollfd *out)
{
	const struct vsock *v = device;
	short events = (short)((v->want_read ? POLLIN : 0) | (v->want_write ? POLLOUT : 0));

	/* Without events poll would still report a closed peer, for ever. */
	*out = (struct pollfd){ .fd = events != 0 ? v->channel : -1, .events = events };
}

/* Large, and one per process: no stack, no heap. */
static union {
	struct blk blk;
	struct vsock vsock;
} device;
static struct vhost_server server;

static int init_device(const struct options *o, struct loop *l, struct devlog *log, struct err *e)
{
	struct vhost_offer offer;
	int rc;

	l->control = o->control;
	l->server = &server;
	if (o->kind == KIND_BLK) {
		rc = blk_init(&device.blk, o->disk, o->readonly == 1, &offer, e);
		l->device = &device.blk;
		l->serve = serve_blk;
	} else {
		rc = vsock_init(&device.vsock, o->channel, o->cid, (uint32_t)o->port, &offer, e);
		l->device = &device.vsock;
		l->serve = serve_vsock;
		l->watch = watch_vsock;
	}
	return rc == 0 ? vhost_server_init(&server, o->vhost, &offer, log, e) : rc;
}

/* Before the first message of the VMM: nothing can be opened or mapped executable from here on. */
static int seal_set_up(struct err *e)
{
	int rc = seal_process(e);

	if (rc == 0)
		rc = seal_landlock(e);
	return rc == 0 ? seal_seccomp(dev_setup_filter, COUNT(dev_setup_filter), 1, e) : rc;
}

/* On top, the filter of its kind: nothing is mapped or received with descriptors any more; no guest
 * data was touched before. */
static int seal(const struct options *o, struct err *e)
{
	int rc = vhost_server_complete(&server, e);

	if (rc == 0 && o->kind == KIND_BLK)
		rc = seal_seccomp(dev_blk_filter, COUNT(dev_blk_filter), 0, e);
	if (rc == 0 && o->kind == KIND_VSOCK)
		rc = seal_seccomp(dev_vsock_filter, COUNT(dev_vsock_filter), 0, e);
	if (rc == 0) {
		server.sealed = true;
		rc = record_send(o->control, RECORD_SEALED, 0, 0, e);
	}
	return rc;
}

static int run(const struct options *o, struct devlog *log, struct err *e)
{
	struct loop l = { 0 };
	int rc = seal_check_label(o->label, e);

	if (rc == 0)
		rc = check_descriptors(o, e);
	if (rc == 0)
		rc = seal_set_up(e);
	if (rc == 0)
		rc = init_device(o, &l, log, e);
	if (rc == 0)
		rc = loop_set_up(&l, e);
	if (rc <= 0)
		return rc;
	rc = seal(o, e);
	return rc < 0 ? rc : loop_serve(&l, e);
}

int main(int argc, char **argv)
{
	struct err e = { 0 };
	struct options o;
	int rc = parse(argc, argv, &o, &e);

	if (rc < 0)
		return err_report(&e, "pavise-dev");
	/* A peer that closes is seen as EPIPE, not as the end of this process. */
	signal(SIGPIPE, SIG_IGN);
	struct devlog log = { .fd = o.log, .name = argv[1] };
	rc = run(&o, &log, &e);
	if (rc < 0)
		devlog_line(&log, e.text);
	/* Not exit(): handlers and stdio have no system calls left. */
	_exit(-rc);
}
