#include "sandbox/vm.h"

#include "sandbox/child.h"
#include "sandbox/vtpm/vtpm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* User ids: above every system's and container's usual range, 16 for each category pair. */
#define UID_BASE 0x70000000u
enum { UID_VMM = 0, UID_VTPM = 1, UID_VSOCK = 2, UID_DISK = 3, UID_PSP = UID_DISK + VM_DISK_MAX,
       UID_COUNT = 16 };
_Static_assert(UID_PSP < UID_COUNT, "user ids of one VM");

#define LOG_LIMIT (4ull << 20)  /* bytes of one log; writes beyond fail */
#define VTPM_TIMEOUT 60         /* seconds for an answer; nested virtualization is slow */
#define SWTPM "/usr/bin/swtpm"

/* A child specification and the room its argument texts live in. */
struct order {
	struct child_spec spec;
	unsigned argc;
	char text[CHILD_ARG_MAX][320]; /* the longest is a label */
};

static uid_t id_of(const struct vm *vm, unsigned role)
{
	return UID_BASE + mcs_index(&vm->run.pair) * UID_COUNT + role;
}

static void __attribute__((format(printf, 2, 3))) add_arg(struct order *o, const char *fmt, ...)
{
	va_list ap;

	if (o->argc + 1 >= CHILD_ARG_MAX)
		return; /* counted: VM_DEV_MAX + 20 at most */
	va_start(ap, fmt);
	vsnprintf(o->text[o->argc], sizeof(o->text[0]), fmt, ap);
	va_end(ap);
	o->spec.argv[o->argc] = o->text[o->argc];
	o->argc++;
	o->spec.argv[o->argc] = NULL;
}
_Static_assert(VM_DEV_MAX + 20 < CHILD_ARG_MAX, "arguments of the VMM");

/* Passes fd; returns the number the child will know it by. */
static int add_fd(struct order *o, int fd)
{
	if (o->spec.fd_count >= CHILD_FD_MAX)
		return -1; /* counted: VM_DEV_MAX + 10 at most */
	o->spec.fds[o->spec.fd_count] = fd;
	return 3 + (int)o->spec.fd_count++;
}
_Static_assert(VM_DEV_MAX + 10 < CHILD_FD_MAX, "descriptors of the VMM");

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Opens program and log, starts, enters it into the table of children. `control` is our end of
 * its records (-1: none) and is the child table's from here on, also on error. */
static int start(struct vm *vm, struct order *o, const char *program, int control, struct err *e)
{
	struct child *c = &vm->child[vm->child_count];
	int rc = 0;

	*c = (struct child){ .pid = -1, .pidfd = -1, .control = control };
	snprintf(c->name, sizeof(c->name), "%s", o->spec.name);
	o->spec.mount_point = vm->run.path;
	if (control >= 0 && fcntl(control, F_SETFL, O_NONBLOCK) != 0)
		rc = err_errno(e, EX_HOST, errno, "%s: control channel", c->name);
	/* Not O_PATH: the kernel must read it, and a label on a path could be another's. */
	o->spec.binary = openat(vm->libexec, program, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (rc == 0 && o->spec.binary < 0)
		rc = err_errno(e, EX_HOST, errno, "%s: its program", program);
	if (rc == 0)
		rc = child_start(&o->spec, &c->pid, &c->pidfd, e);
	close_fd(&o->spec.binary);
	close_fd(&o->spec.log);
	if (rc != 0)
		close_fd(&c->control);
	else
		vm->child_count++;
	return rc;
}

static int open_log(struct vm *vm, const char *name, int *fd, struct err *e)
{
	char file[32];

	snprintf(file, sizeof(file), "%.20s.log", name);
	return rundir_log(&vm->run, &vm->labels, file, fd, e);
}

static void set_timeout(int fd, time_t seconds)
{
	struct timeval t = { .tv_sec = seconds };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t));
}

/* From power-on to a TPM that knows the firmware. Its control channel stays ours. */
static int boot_vtpm(struct vm *vm, struct err *e)
{
	const struct plan_region *image = plan_find(&vm->plan.plan, PLAN_FIRMWARE);

	if (image == NULL)
		return err_set(e, EX_INTERNAL, "plan: no firmware after it was checked");
	set_timeout(vm->vtpm_control, VTPM_TIMEOUT);
	set_timeout(vm->vtpm_data, VTPM_TIMEOUT);
	int rc = vtpm_boot(vm->vtpm_control, vm->vtpm_data, image->data, image->size, e);
	/* The limits belong to the socket: the VMM's end waits as long as a command takes. */
	set_timeout(vm->vtpm_data, 0);
	return rc;
}

static int start_vtpm(struct vm *vm, struct err *e)
{
	struct order o = { .spec = { .name = "vtpm", .binary = -1, .log = -1,
				     .label = vm->labels.vtpm, .id = id_of(vm, UID_VTPM),
				     .file_limit = LOG_LIMIT, .fd_limit = 64, .thread_limit = 4 } };
	char state[RUN_PATH_MAX + 8];
	int control[2] = { -1, -1 }, data[2] = { -1, -1 };
	int rc = rundir_folder(&vm->run, &vm->labels, "tpm", vm->labels.tpmstate, o.spec.id, e);

	snprintf(state, sizeof(state), "%s/tpm", vm->run.path);
	o.spec.state = state;
	if (rc == 0)
		rc = open_log(vm, "vtpm", &o.spec.log, e);
	if (rc == 0)
		rc = label_socketpair(&vm->labels, vm->labels.vtpm, SOCK_STREAM, control, e);
	if (rc == 0)
		rc = label_socketpair(&vm->labels, vm->labels.vtpm, SOCK_STREAM, data, e);
	vm->vtpm_control = control[0];
	vm->vtpm_data = data[0];
	add_arg(&o, "swtpm");
	add_arg(&o, "socket");
	add_arg(&o, "--tpm2");
	add_arg(&o, "--ctrl");
	add_arg(&o, "type=unixio,clientfd=%d", add_fd(&o, control[1]));
	add_arg(&o, "--fd");
	add_arg(&o, "%d", add_fd(&o, data[1]));
	add_arg(&o, "--tpmstate");
	add_arg(&o, "dir=/state,mode=0600");
	add_arg(&o, "--log");
	add_arg(&o, "fd=1,level=1");
	add_arg(&o, "--seccomp");
	add_arg(&o, "action=kill");
	add_arg(&o, "--terminate"); /* when its connections close, in case it outlives us */
	if (rc == 0)
		rc = start(vm, &o, SWTPM, -1, e);
	close_fd(&o.spec.log);
	close_fd(&control[1]);
	close_fd(&data[1]);
	return rc == 0 ? boot_vtpm(vm, e) : rc;
}

/* What all devices have in common: descriptors 3 control, 4 vhost, 5 log, 6 what it serves. */
static int start_device(struct vm *vm, struct order *o, const char *kind, int served,
			const char *served_key, const char *more, struct err *e)
{
	int control[2] = { -1, -1 }, vhost[2] = { -1, -1 };
	int rc = open_log(vm, o->spec.name, &o->spec.log, e);

	if (rc == 0)
		rc = label_socketpair(&vm->labels, vm->labels.dev, SOCK_SEQPACKET, control, e);
	if (rc == 0)
		rc = label_socketpair(&vm->labels, vm->labels.dev, SOCK_STREAM, vhost, e);
	o->spec.label = vm->labels.dev;
	add_arg(o, "pavise-dev");
	add_arg(o, "%s", kind);
	add_arg(o, "label=%s", vm->labels.dev);
	add_arg(o, "control=%d", add_fd(o, control[1]));
	add_arg(o, "vhost=%d", add_fd(o, vhost[1]));
	add_arg(o, "log=%d", add_fd(o, o->spec.log));
	add_arg(o, "%s=%d", served_key, add_fd(o, served));
	for (const char *p = more; *p != '\0'; p += strlen(p) + 1)
		add_arg(o, "%s", p);
	if (rc == 0) {
		rc = start(vm, o, "pavise-dev", control[0], e);
		control[0] = -1;
	}
	close_fd(&o->spec.log);
	close_fd(&control[0]);
	close_fd(&control[1]);
	close_fd(&vhost[1]);
	if (rc == 0)
		vm->vhost[vm->vhost_count++] = vhost[0];
	else
		close_fd(&vhost[0]);
	return rc;
}

static int start_disk(struct vm *vm, unsigned i, struct err *e)
{
	const struct disk *d = &vm->disk[i];
	char name[16];
	struct order o = { .spec = { .name = name, .binary = -1, .log = -1,
				     .id = id_of(vm, UID_DISK + i), .fd_limit = 64,
				     .thread_limit = 16 } };

	snprintf(name, sizeof(name), "dev-blk%u", i);
	/* The limit is on offsets, so a writable disk needs all of its size. */
	o.spec.file_limit = !d->readonly && d->size > LOG_LIMIT ? d->size : LOG_LIMIT;
	return start_device(vm, &o, "blk", d->fd, "disk", d->readonly ? "readonly=1\0" : "\0", e);
}

static int start_vsock(struct vm *vm, struct err *e)
{
	struct order o = { .spec = { .name = "dev-vsock", .binary = -1, .log = -1,
				     .id = id_of(vm, UID_VSOCK), .file_limit = LOG_LIMIT,
				     .fd_limit = 64, .thread_limit = 16 } };
	char more[64];
	int channel[2];
	int rc = label_socketpair(&vm->labels, vm->labels.dev, SOCK_STREAM, channel, e);

	if (rc != 0)
		return rc;
	vm->agent_channel = channel[0];
	memset(more, 0, sizeof(more)); /* a list of strings, the last one empty */
	int n = snprintf(more, sizeof(more), "cid=%u", VM_GUEST_CID);
	snprintf(more + n + 1, sizeof(more) - (size_t)n - 2, "port=%u", VM_VSOCK_PORT);
	rc = start_device(vm, &o, "vsock", channel[1], "channel", more, e);
	close(channel[1]);
	return rc;
}

/* The simulated secure processor: descriptors 3 control, 4 the VMM's connection, 5 log, 6 and 7 the
 * chip. It holds the one key that makes reports, and no memory of the guest. */
static int start_psp(struct vm *vm, struct err *e)
{
	struct order o = { .spec = { .name = "psp", .binary = -1, .log = -1,
				     .label = vm->labels.psp, .id = id_of(vm, UID_PSP),
				     .file_limit = LOG_LIMIT, .fd_limit = 64, .thread_limit = 4 } };
	int control[2] = { -1, -1 }, psp[2] = { -1, -1 };
	int rc = open_log(vm, "psp", &o.spec.log, e);

	if (rc == 0)
		rc = label_socketpair(&vm->labels, vm->labels.psp, SOCK_SEQPACKET, control, e);
	if (rc == 0)
		rc = label_socketpair(&vm->labels, vm->labels.psp, SOCK_SEQPACKET, psp, e);
	add_arg(&o, "pavise-psp-sim");
	add_arg(&o, "label=%s", vm->labels.psp);
	add_arg(&o, "control=%d", add_fd(&o, control[1]));
	add_arg(&o, "psp=%d", add_fd(&o, psp[1]));
	add_arg(&o, "log=%d", add_fd(&o, o.spec.log));
	add_arg(&o, "key=%d", add_fd(&o, vm->opt->psp_key));
	add_arg(&o, "certs=%d", add_fd(&o, vm->opt->psp_certs));
	if (rc == 0) {
		rc = start(vm, &o, "pavise-psp-sim", control[0], e);
		control[0] = -1;
	}
	vm->psp = psp[0];
	close_fd(&o.spec.log);
	close_fd(&control[0]);
	close_fd(&control[1]);
	close_fd(&psp[1]);
	return rc;
}

/* What only a confidential guest's VMM gets. */
static void snp_args(struct vm *vm, struct order *o)
{
	if (vm->sev >= 0)
		add_arg(o, "sev=%d", add_fd(o, vm->sev));
	if (vm->psp >= 0)
		add_arg(o, "psp=%d", add_fd(o, vm->psp));
	if (vm->opt->host_data != NULL)
		add_arg(o, "host_data=%s", vm->opt->host_data);
	if (vm->id_block >= 0) {
		add_arg(o, "id_block=%d", add_fd(o, vm->id_block));
		add_arg(o, "id_auth=%d", add_fd(o, vm->id_auth));
	}
}

static void vmm_args(struct vm *vm, struct order *o, int control, int console)
{
	const struct options *opt = vm->opt;

	add_arg(o, "pavise-vmm");
	add_arg(o, "name=%s", opt->name);
	add_arg(o, "label=%s", vm->labels.vmm);
	add_arg(o, "control=%d", add_fd(o, control));
	add_arg(o, "kvm=%d", add_fd(o, vm->kvm));
	add_arg(o, "plan=%d", add_fd(o, vm->plan.fd));
	add_arg(o, "ram=%d", add_fd(o, vm->ram));
	add_arg(o, "log=%d", add_fd(o, o->spec.log));
	add_arg(o, "console=%d", add_fd(o, console));
	add_arg(o, "memory=%llu", (unsigned long long)opt->memory);
	add_arg(o, "cpus=%u", opt->cpus);
	if (vm->vtpm_data >= 0)
		add_arg(o, "tpm=%d", add_fd(o, vm->vtpm_data));
	snp_args(vm, o);
	for (unsigned i = 0; i < vm->vhost_count; i++)
		add_arg(o, "dev=%s:%d", i < opt->disk_count ? "blk" : "vsock",
			add_fd(o, vm->vhost[i]));
}

static int start_vmm(struct vm *vm, struct err *e)
{
	struct order o = { .spec = { .name = "vmm", .binary = -1, .log = -1,
				     .label = vm->labels.vmm, .id = id_of(vm, UID_VMM),
				     .file_limit = LOG_LIMIT, .fd_limit = 1024,
				     .thread_limit = vm->opt->cpus + 16 } };
	int control[2] = { -1, -1 }, console = -1;
	int rc = open_log(vm, "vmm", &o.spec.log, e);

	/* The model makes the guest's private memory itself, a file as well to this limit. */
	if (vm->opt->simulated)
		o.spec.file_limit += vm->opt->memory;
	if (rc == 0)
		rc = open_log(vm, "console", &console, e);
	if (rc == 0)
		rc = label_socketpair(&vm->labels, vm->labels.vmm, SOCK_SEQPACKET, control, e);
	if (rc == 0) {
		vmm_args(vm, &o, control[1], console);
		rc = start(vm, &o, vm->opt->simulated ? "pavise-vmm-sim" : "pavise-vmm", control[0],
			   e);
		control[0] = -1;
	}
	if (rc == 0)
		vm->child[vm->child_count - 1].is_vmm = true;
	close_fd(&o.spec.log);
	close_fd(&control[0]);
	close_fd(&control[1]);
	close_fd(&console);
	return rc;
}

int vm_start(struct vm *vm, struct err *e)
{
	int rc = vm->opt->vtpm ? start_vtpm(vm, e) : 0;

	for (unsigned i = 0; rc == 0 && i < vm->opt->disk_count; i++)
		rc = start_disk(vm, i, e);
	if (rc == 0)
		rc = start_vsock(vm, e);
	if (rc == 0 && vm->opt->simulated)
		rc = start_psp(vm, e);
	if (rc == 0)
		rc = start_vmm(vm, e);
	/* Only the children talk on these from now on. */
	for (unsigned i = 0; i < vm->vhost_count; i++)
		close_fd(&vm->vhost[i]);
	close_fd(&vm->vtpm_data);
	close_fd(&vm->psp);
	close_fd(&vm->sev);
	close_fd(&vm->id_block);
	close_fd(&vm->id_auth);
	close_fd(&vm->kvm);
	return rc;
}
