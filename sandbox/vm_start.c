#include "sandbox/vm.h"

#include "sandbox/core_sched.h"
#include "sandbox/order.h"
#include "sandbox/vm_platform.h"
#include "sandbox/vtpm/vtpm.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define VTPM_TIMEOUT 60         /* seconds for an answer; nested virtualization is slow */
#define SWTPM "/usr/bin/swtpm"

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
	struct order o;
	char state[RUN_PATH_MAX + 8];
	int control[2] = { -1, -1 }, data[2] = { -1, -1 };

	order_init(&o, vm, "vtpm", vm->labels.vtpm, ORDER_VTPM);
	int rc = rundir_folder(&vm->run, &vm->labels, "tpm", vm->labels.tpmstate, o.spec.id, e);

	snprintf(state, sizeof(state), "%s/tpm", vm->run.path);
	o.spec.state = state;
	if (rc == 0)
		rc = order_log(vm, &o, e);
	if (rc == 0)
		rc = label_socketpair(&vm->labels, vm->labels.vtpm, SOCK_STREAM, control, e);
	if (rc == 0)
		rc = label_socketpair(&vm->labels, vm->labels.vtpm, SOCK_STREAM, data, e);
	vm->vtpm_control = control[0];
	vm->vtpm_data = data[0];
	order_arg(&o, "swtpm");
	order_arg(&o, "socket");
	order_arg(&o, "--tpm2");
	order_arg(&o, "--ctrl");
	order_arg(&o, "type=unixio,clientfd=%d", order_fd(&o, control[1]));
	order_arg(&o, "--fd");
	order_arg(&o, "%d", order_fd(&o, data[1]));
	order_arg(&o, "--tpmstate");
	order_arg(&o, "dir=/state,mode=0600");
	order_arg(&o, "--log");
	order_arg(&o, "fd=1,level=1");
	order_arg(&o, "--seccomp");
	order_arg(&o, "action=kill");
	order_arg(&o, "--terminate"); /* when its connections close, in case it outlives us */
	if (rc == 0)
		rc = order_start(vm, &o, SWTPM, -1, e);
	order_close(&o.spec.log);
	order_close(&control[1]);
	order_close(&data[1]);
	return rc == 0 ? boot_vtpm(vm, e) : rc;
}

/* What all devices have in common: descriptors 3 control, 4 vhost, 5 log, 6 what it serves. */
static int start_device(struct vm *vm, struct order *o, const char *kind, int served,
			const char *served_key, const char *more, struct err *e)
{
	int control[2] = { -1, -1 }, vhost[2] = { -1, -1 };
	int rc = order_log(vm, o, e);

	if (rc == 0)
		rc = label_socketpair(&vm->labels, vm->labels.dev, SOCK_SEQPACKET, control, e);
	if (rc == 0)
		rc = label_socketpair(&vm->labels, vm->labels.dev, SOCK_STREAM, vhost, e);
	order_limits(o, vm, LIMITS_BACK_END);
	order_arg(o, "pavise-dev");
	order_arg(o, "%s", kind);
	order_arg(o, "label=%s", vm->labels.dev);
	order_arg(o, "control=%d", order_fd(o, control[1]));
	order_arg(o, "vhost=%d", order_fd(o, vhost[1]));
	order_arg(o, "log=%d", order_fd(o, o->spec.log));
	order_arg(o, "%s=%d", served_key, order_fd(o, served));
	for (const char *p = more; *p != '\0'; p += strlen(p) + 1)
		order_arg(o, "%s", p);
	if (rc == 0) {
		rc = order_start(vm, o, "pavise-dev", control[0], e);
		control[0] = -1;
	}
	order_close(&o->spec.log);
	order_close(&control[0]);
	order_close(&control[1]);
	order_close(&vhost[1]);
	if (rc == 0)
		vm->vhost[vm->vhost_count++] = vhost[0];
	else
		order_close(&vhost[0]);
	return rc;
}

static int start_disk(struct vm *vm, unsigned i, struct err *e)
{
	const struct disk *d = &vm->disk[i];
	char name[16];
	struct order o;

	snprintf(name, sizeof(name), "dev-blk%u", i);
	order_init(&o, vm, name, vm->labels.dev, ORDER_DISK + i);
	/* The limit is on offsets, so a writable disk needs all of its size. */
	if (!d->readonly && d->size > ORDER_LOG_LIMIT)
		o.spec.file_limit = d->size;
	return start_device(vm, &o, "blk", d->fd, "disk", d->readonly ? "readonly=1\0" : "\0", e);
}

static int start_vsock(struct vm *vm, struct err *e)
{
	struct order o;
	char more[64];
	int channel[2];
	int rc = label_socketpair(&vm->labels, vm->labels.dev, SOCK_STREAM, channel, e);

	if (rc != 0)
		return rc;
	order_init(&o, vm, "dev-vsock", vm->labels.dev, ORDER_VSOCK);
	vm->agent_channel = channel[0];
	memset(more, 0, sizeof(more)); /* a list of strings, the last one empty */
	int n = snprintf(more, sizeof(more), "cid=%u", VM_GUEST_CID);
	snprintf(more + n + 1, sizeof(more) - (size_t)n - 2, "port=%u", VM_VSOCK_PORT);
	rc = start_device(vm, &o, "vsock", channel[1], "channel", more, e);
	close(channel[1]);
	return rc;
}

static void vmm_args(struct vm *vm, struct order *o, int control, int console)
{
	const struct options *opt = vm->opt;

	order_arg(o, "pavise-vmm");
	order_arg(o, "name=%s", opt->name);
	order_arg(o, "label=%s", vm->labels.vmm);
	order_arg(o, "control=%d", order_fd(o, control));
	order_arg(o, "kvm=%d", order_fd(o, vm->kvm));
	order_arg(o, "plan=%d", order_fd(o, vm->plan.fd));
	order_arg(o, "ram=%d", order_fd(o, vm->ram));
	order_arg(o, "log=%d", order_fd(o, o->spec.log));
	order_arg(o, "console=%d", order_fd(o, console));
	order_arg(o, "memory=%llu", (unsigned long long)opt->memory);
	order_arg(o, "cpus=%u", opt->cpus);
	if (vm->vtpm_data >= 0)
		order_arg(o, "tpm=%d", order_fd(o, vm->vtpm_data));
	platform_args(vm, o);
	for (unsigned i = 0; i < vm->vhost_count; i++)
		order_arg(o, "dev=%s:%d", i < opt->disk_count ? "blk" : "vsock",
			order_fd(o, vm->vhost[i]));
}

static int start_vmm(struct vm *vm, struct err *e)
{
	struct order o;
	int control[2] = { -1, -1 }, console = -1;

	order_init(&o, vm, "vmm", vm->labels.vmm, ORDER_VMM);
	o.spec.fd_limit = 1024;
	order_limits(&o, vm, LIMITS_VMM);
	int rc = order_log(vm, &o, e);

	/* The model makes the guest's private memory itself, a file as well to this limit. */
	if (vm->opt->simulated)
		o.spec.file_limit += vm->opt->memory;
	if (rc == 0)
		rc = order_open_log(vm, "console", &console, e);
	if (rc == 0)
		rc = label_socketpair(&vm->labels, vm->labels.vmm, SOCK_SEQPACKET, control, e);
	if (rc == 0) {
		vmm_args(vm, &o, control[1], console);
		rc = order_start(vm, &o, vm->opt->simulated ? "pavise-vmm-sim" : "pavise-vmm",
				 control[0], e);
		control[0] = -1;
	}
	if (rc == 0)
		vm->child[vm->child_count - 1].is_vmm = true;
	order_close(&o.spec.log);
	order_close(&control[0]);
	order_close(&control[1]);
	order_close(&console);
	return rc;
}

int vm_start(struct vm *vm, struct err *e)
{
	int rc = core_sched_keep_apart(e);

	if (rc == 0 && vm->opt->vtpm)
		rc = start_vtpm(vm, e);
	timings_mark(&vm->timings, TIMING_VTPM);
	for (unsigned i = 0; rc == 0 && i < vm->opt->disk_count; i++)
		rc = start_disk(vm, i, e);
	if (rc == 0)
		rc = start_vsock(vm, e);
	timings_mark(&vm->timings, TIMING_DEVICES);
	if (rc == 0)
		rc = platform_start(vm, e);
	timings_mark(&vm->timings, TIMING_PLATFORM);
	if (rc == 0)
		rc = start_vmm(vm, e);
	/* Only the children talk on these from now on. */
	for (unsigned i = 0; i < vm->vhost_count; i++)
		order_close(&vm->vhost[i]);
	order_close(&vm->vtpm_data);
	platform_close(vm);
	order_close(&vm->kvm);
	return rc;
}
