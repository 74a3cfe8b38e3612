#include "tests/kvm/device.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECTOR 512

__attribute__((noreturn)) static void give_up(const char *what)
{
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(1);
}

static int make_disk(unsigned sectors)
{
	int fd = memfd_create("disk", MFD_CLOEXEC);

	if (fd < 0)
		give_up("disk");
	for (unsigned i = 0; i < sectors; i++) {
		char sector[SECTOR];
		int n = snprintf(sector, sizeof(sector), "sector %u", i);

		memset(sector + n, '.', sizeof(sector) - (size_t)n);
		if (write(fd, sector, sizeof(sector)) != (ssize_t)sizeof(sector))
			give_up("disk");
	}
	return fd;
}

/* Arguments of one kind of device, and the descriptor they name. */
struct kind {
	const char *name;
	int fd;
	char arg[3][32];
};

__attribute__((noreturn)) static void child(const struct device *d, const struct kind *kind,
					    int control, int vhost)
{
	const char *build = getenv("PAVISE_BUILD");
	const int keep[] = { control, vhost, d->log, kind->fd };
	const char *const extra[] = { kind->arg[1][0] ? kind->arg[1] : NULL, kind->arg[2] };
	char path[512], a[32], b[32], c[32];

	snprintf(path, sizeof(path), "%s/bin/pavise-dev", build ? build : "build");
	for (size_t i = 0; i < sizeof(keep) / sizeof(keep[0]); i++)
		if (fcntl(keep[i], F_SETFD, 0) < 0)
			_exit(126);
	if (harness_drop_capabilities() < 0)
		_exit(126);
	snprintf(a, sizeof(a), "control=%d", control);
	snprintf(b, sizeof(b), "vhost=%d", vhost);
	snprintf(c, sizeof(c), "log=%d", d->log);
	execl(path, path, kind->name, "label=none", a, b, c, kind->arg[0], extra[0], extra[1],
	      (char *)NULL);
	_exit(127);
}

static void start(struct device *d, struct harness *h, const struct kind *kind)
{
	int control[2], vhost[2];

	d->log = memfd_create("device log", MFD_CLOEXEC);
	if (d->log < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) < 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, vhost) < 0)
		give_up("device");
	d->control = control[0];
	fflush(stdout);
	d->pid = fork();
	if (d->pid < 0)
		give_up("fork");
	if (d->pid == 0)
		child(d, kind, control[1], vhost[1]);
	close(control[1]);
	close(vhost[1]);
	harness_add_device(h, kind->name, vhost[0]);
}

void device_start_disk(struct device *d, struct harness *h, unsigned sectors)
{
	struct kind kind = { .name = "blk", .fd = make_disk(sectors) };

	memset(d, 0, sizeof(*d));
	d->backing = kind.fd;
	snprintf(kind.arg[0], sizeof(kind.arg[0]), "disk=%d", kind.fd);
	start(d, h, &kind);
}

void device_start_vsock(struct device *d, struct harness *h, unsigned cid, unsigned port)
{
	struct kind kind = { .name = "vsock" };
	int channel[2];

	memset(d, 0, sizeof(*d));
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel) < 0)
		give_up("channel");
	d->backing = channel[0];
	kind.fd = channel[1];
	snprintf(kind.arg[0], sizeof(kind.arg[0]), "channel=%d", channel[1]);
	snprintf(kind.arg[1], sizeof(kind.arg[1]), "cid=%u", cid);
	snprintf(kind.arg[2], sizeof(kind.arg[2]), "port=%u", port);
	start(d, h, &kind);
	close(channel[1]);
}

static int expect(struct device *d, enum record_type type)
{
	struct pollfd p = { .fd = d->control, .events = POLLIN };
	struct err e = { 0 };
	struct record r;

	if (poll(&p, 1, HARNESS_TIMEOUT_MS) != 1 ||
	    record_receive(d->control, "device", &r, &e) != 1)
		return -1;
	return r.type == type ? 0 : -1;
}

int device_seal(struct device *d)
{
	struct err e = { 0 };

	if (expect(d, RECORD_READY) < 0 ||
	    record_send(d->control, RECORD_SEAL, 0, 0, &e) < 0)
		return -1;
	return expect(d, RECORD_SEALED);
}

int device_go(struct device *d, struct harness *h)
{
	if (harness_start(h) < 0 || device_seal(d) < 0 || harness_seal(h) < 0)
		return -1;
	return harness_send(h, RECORD_GO);
}

void device_kill(struct device *d)
{
	if (d->pid > 0) {
		kill(d->pid, SIGKILL);
		waitpid(d->pid, NULL, 0);
		d->pid = 0;
	}
}

void device_free(struct device *d)
{
	ssize_t n;

	device_kill(d);
	n = pread(d->log, d->log_text, sizeof(d->log_text) - 1, 0);
	d->log_text[n > 0 ? n : 0] = '\0';
	close(d->control);
	close(d->log);
	close(d->backing);
}
