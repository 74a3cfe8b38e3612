#include "sandbox/order.h"

#include "sandbox/layers.h"
#include "sandbox/vm_limits.h"
#include "sandbox/vm_manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

_Static_assert(ORDER_ROLES <= MCS_UIDS, "user ids of one VM");

uid_t order_id(const struct vm *vm, unsigned role)
{
	/* tests/escape: one for all processes of all VMs; root's cannot be mapped from our domain. */
	if (!layer_on(LAYER_IDS))
		return layer_on(LAYER_NAMESPACES) ? MCS_UID_BASE : 0;
	return MCS_UID_BASE + mcs_index(&vm->run.pair) * MCS_UIDS + role;
}

void order_init(struct order *o, const struct vm *vm, const char *name, const char *label,
		unsigned role)
{
	o->argc = 0;
	o->limits = LIMITS_HELPER;
	o->spec = (struct child_spec){
		.name = name, .binary = -1, .log = -1, .label = label, .cgroup = -1,
		.id = order_id(vm, role), .group = order_id(vm, role),
		.file_limit = ORDER_LOG_LIMIT, .fd_limit = 64,
	};
	order_limits(o, vm, LIMITS_HELPER);
}

void order_limits(struct order *o, const struct vm *vm, enum limits_role role)
{
	const struct limits_guest guest = vm_limits_guest(vm);

	o->limits = role;
	o->spec.thread_limit = limits_threads(&guest, role);
}

void order_arg(struct order *o, const char *fmt, ...)
{
	va_list ap;

	if (o->argc + 1 >= CHILD_ARG_MAX)
		return; /* counted: VM_DEV_MAX + 24 at most */
	va_start(ap, fmt);
	vsnprintf(o->text[o->argc], sizeof(o->text[0]), fmt, ap);
	va_end(ap);
	o->spec.argv[o->argc] = o->text[o->argc];
	o->argc++;
	o->spec.argv[o->argc] = NULL;
}
_Static_assert(VM_DEV_MAX + 24 < CHILD_ARG_MAX, "arguments of the VMM");

int order_fd(struct order *o, int fd)
{
	if (o->spec.fd_count >= CHILD_FD_MAX)
		return -1; /* counted: VM_DEV_MAX + 12 at most */
	o->spec.fds[o->spec.fd_count] = fd;
	return 3 + (int)o->spec.fd_count++;
}
_Static_assert(VM_DEV_MAX + 12 < CHILD_FD_MAX, "descriptors of the VMM");

void order_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

int order_start(struct vm *vm, struct order *o, const char *program, int control, struct err *e)
{
	struct child *c = &vm->child[vm->child_count];
	int rc = 0;

	*c = (struct child){ .pid = -1, .pidfd = -1, .control = control, .id = o->spec.id,
			     .label = o->spec.label, .file_limit = o->spec.file_limit,
			     .fd_limit = o->spec.fd_limit, .thread_limit = o->spec.thread_limit };
	snprintf(c->name, sizeof(c->name), "%s", o->spec.name);
	o->spec.mount_point = vm->run.path;
	if (control >= 0 && fcntl(control, F_SETFL, O_NONBLOCK) != 0)
		rc = err_errno(e, EX_HOST, errno, "%s: control channel", c->name);
	/* Not O_PATH: the kernel must read it, and a label on a path could be another's. */
	o->spec.binary = openat(vm->libexec, program, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (rc == 0 && o->spec.binary < 0)
		rc = err_errno(e, EX_HOST, errno, "%s: its program", program);
	if (rc == 0)
		rc = vm_limits_child(vm, o->spec.name, o->limits, &c->cgroup, &o->spec.cgroup, e);
	if (rc == 0)
		rc = child_start(&o->spec, &c->pid, &c->pidfd, e);
	order_close(&o->spec.cgroup);
	if (rc != 0) {
		order_close(&c->control);
	} else {
		vm->child_count++;
		rc = vm_manifest_child(vm, &o->spec, c->pid, e);
	}
	order_close(&o->spec.binary);
	order_close(&o->spec.log);
	return rc;
}

int order_open_log(struct vm *vm, const char *name, int *fd, struct err *e)
{
	char file[32];

	snprintf(file, sizeof(file), "%.20s.log", name);
	return rundir_log(&vm->run, &vm->labels, file, fd, e);
}

int order_log(struct vm *vm, struct order *o, struct err *e)
{
	return order_open_log(vm, o->spec.name, &o->spec.log, e);
}
