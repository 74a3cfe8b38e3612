#include "sandbox/vm_platform.h"

#include "common/record.h"
#include "sandbox/disk_record.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define STOP_MS 10000          /* for the VMM, then for the rest, to end in order */
#define LOG_COPY_MAX (4u << 20) /* bytes of each log */

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Waits until the child is gone; it may well be already. */
static void await(struct child *c, int ms)
{
	struct pollfd p = { .fd = c->pidfd, .events = POLLIN };

	if (!child_reap(c) && poll(&p, 1, ms) > 0)
		child_reap(c);
}

/* Asks; who does not want to hear is killed anyway. */
static void ask_to_stop(struct child *c)
{
	struct err ignored = { 0 };

	if (c->pid > 0 && c->control >= 0)
		record_send(c->control, RECORD_STOP, 0, 0, &ignored);
}

/* Bounded too: a policy that denies the signal must not leave the launcher hanging. Its own end
 * then takes the child along (PR_SET_PDEATHSIG). */
static int kill_child(struct child *c, struct err *e)
{
	int rc = 0;

	/* The first process of a pid namespace: its death takes all in it along. */
	if (!child_reap(c) &&
	    syscall(SYS_pidfd_send_signal, c->pidfd, SIGKILL, NULL, 0) != 0)
		rc = err_errno(e, EX_INTERNAL, errno, "%s: cannot be killed", c->name);
	await(c, STOP_MS);
	if (rc == 0 && c->pid > 0)
		rc = err_set(e, EX_INTERNAL, "%s: does not die: see the kernel's log", c->name);
	close_fd(&c->pidfd);
	close_fd(&c->control);
	return rc;
}

/* What the VMM said while it was being stopped: where its time went. Bounded, and all else in it
 * does not matter any more. */
static void hear_times(struct vm *vm, const struct child *c)
{
	struct pollfd p = { .fd = c->control, .events = POLLIN };
	struct err ignored = { 0 };
	struct record r;

	for (int i = 0; i <= VM_MOMENTS && c->control >= 0 && poll(&p, 1, 0) > 0; i++) {
		if (record_receive(c->control, c->name, &r, &ignored) != 1)
			return;
		if (r.type == RECORD_TIMING)
			(void)timings_take(&vm->timings, r.a, r.b);
	}
}

/* The VMM first, so that no device loses its peer in the middle of a request; the vTPM last. */
static void stop_in_order(struct vm *vm)
{
	for (int vmm = 1; vmm >= 0; vmm--) {
		for (unsigned i = 0; i < vm->child_count; i++)
			if (vm->child[i].is_vmm == (vmm == 1))
				ask_to_stop(&vm->child[i]);
		for (unsigned i = 0; i < vm->child_count; i++)
			if (vm->child[i].is_vmm == (vmm == 1) && vm->child[i].control >= 0)
				await(&vm->child[i], STOP_MS);
		for (unsigned i = 0; i < vm->child_count; i++)
			if (vmm == 1 && vm->child[i].is_vmm)
				hear_times(vm, &vm->child[i]);
	}
	/* swtpm stores its state and ends when its connections close. */
	close_fd(&vm->vtpm_control);
	for (unsigned i = 0; i < vm->child_count; i++)
		await(&vm->child[i], STOP_MS);
}

static int copy_logs(struct vm *vm, struct err *e)
{
	char file[NAME_MAX_LENGTH + sizeof(".log")];
	int rc = 0;

	if (vm->run.dir < 0)
		return 0;
	for (unsigned i = 0; i < vm->opt->log_count; i++) {
		snprintf(file, sizeof(file), "%.32s.log", vm->opt->log[i].name);
		int one = rundir_copy_log(&vm->run, file, LOG_COPY_MAX, vm->opt->log[i].fd, e);
		if (rc == 0)
			rc = one;
	}
	return rc;
}

static int restore_disks(struct vm *vm, struct err *e)
{
	char name[16];
	int rc = 0;

	for (unsigned i = 0; i < vm->opt->disk_count; i++) {
		snprintf(name, sizeof(name), "disk %u", i);
		int one = disk_restore(name, &vm->disk[i], &vm->labels, e);
		if (rc == 0)
			rc = one;
	}
	/* The record of an image that could not be restored stays, and its pair with it. */
	if (rc == 0 && vm->run.dir >= 0)
		disk_record_remove(vm->run.dir);
	return rc;
}

int vm_teardown(struct vm *vm, struct err *e)
{
	int killed = 0, removed;

	if (vm->phase == VM_RUNNING || vm->phase == VM_ENDED)
		timings_mark(&vm->timings, TIMING_GUEST);
	/* A VM that never ran has nothing to bring in order; one whose walls are gone is killed. */
	if (!vm->isolation_lost && (vm->phase == VM_RUNNING || vm->phase == VM_ENDED))
		stop_in_order(vm);
	for (unsigned i = 0; i < vm->child_count; i++)
		killed |= kill_child(&vm->child[i], e);
	/* While the pair is held: nobody else makes one of that name. */
	removed = cgroup_remove(&vm->cgroup, e);
	close_fd(&vm->vtpm_control);
	close_fd(&vm->vtpm_data);
	close_fd(&vm->agent_channel);
	for (unsigned i = 0; i < vm->vhost_count; i++)
		close_fd(&vm->vhost[i]);
	int copied = copy_logs(vm, e);
	int restored = restore_disks(vm, e);
	rundir_remove(&vm->run);
	/* Last of all: a client that waits for its stop sees the connection close when nothing
	 * is left. */
	control_close(&vm->control);
	plan_copy_free(&vm->plan);
	close_fd(&vm->ram);
	close_fd(&vm->kvm);
	platform_close(vm);
	close_fd(&vm->libexec);
	close_fd(&vm->signals);
	watch_close(&vm->watch);
	timings_mark(&vm->timings, TIMING_CLEANUP);
	return killed != 0 || removed != 0 || copied != 0 || restored != 0 ? -e->status : 0;
}
