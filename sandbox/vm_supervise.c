#include "sandbox/vm.h"
#include "sandbox/vm_manifest.h"

#include "common/record.h"
#include "common/snp_term.h"
#include "common/stop_text.h"
#include "sandbox/describe.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* For each step, READY and SEALED: long, since nested virtualization is slow. */
#define STEP_MS 60000

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

bool child_reap(struct child *c)
{
	if (c->pid > 0 && waitpid(c->pid, &c->status, WNOHANG) == c->pid)
		c->pid = -1;
	return c->pid < 0;
}

/* The last line a child logged; it is the child's claim, made printable by err_set. */
static void last_line(struct vm *vm, const struct child *c, char *out, size_t size)
{
	char file[32], text[256];

	snprintf(file, sizeof(file), "%s.log", c->name);
	out[0] = '\0';
	int fd = openat(vm->run.dir, file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return;
	off_t end = lseek(fd, 0, SEEK_END);
	off_t start = end > (off_t)sizeof(text) - 1 ? end - (off_t)sizeof(text) + 1 : 0;
	ssize_t n = pread(fd, text, sizeof(text) - 1, start);
	close(fd);
	while (n > 0 && text[n - 1] == '\n')
		n--;
	if (n <= 0)
		return;
	text[n] = '\0';
	const char *line = strrchr(text, '\n');
	snprintf(out, size, ": %s", line == NULL ? text : line + 1);
}

/* Before the guest's first instruction a VMM that ends says why by the status that every program of
 * ours has (the host lacks something, a signature does not hold): that is no broken promise. */
static enum exit_status status_of_death(const struct vm *vm, const struct child *c)
{
	int status = WEXITSTATUS(c->status);

	if (c->is_vmm && vm->phase == VM_STARTING && status >= EX_REFUSED && status <= EX_BUSY)
		return (enum exit_status)status;
	return EX_INTERNAL;
}

int vm_child_died(struct vm *vm, const struct child *c, struct err *e)
{
	char line[280], limit[64];

	last_line(vm, c, line, sizeof(line));
	if (WIFSIGNALED(c->status) && WTERMSIG(c->status) == SIGKILL &&
	    cgroup_out_of_memory(&vm->cgroup, c->name, limit, sizeof(limit)))
		return err_set(e, EX_INTERNAL, "%s: killed: it wanted more memory than %s%s",
			       c->name, limit, line);
	if (WIFSIGNALED(c->status))
		return err_set(e, EX_INTERNAL, "%s: killed by signal %d (%s)%s", c->name,
			       WTERMSIG(c->status), strsignal(WTERMSIG(c->status)), line);
	return err_set(e, status_of_death(vm, c), "%s: ended with status %d%s", c->name,
		       WEXITSTATUS(c->status), line);
}

/* A record is a claim, and only the one that is due is believed. */
static int take_record(struct vm *vm, struct child *c, const struct record *r, struct err *e)
{
	if (r->type == RECORD_READY && c->state == CHILD_RUNS && vm->phase == VM_STARTING) {
		c->state = CHILD_READY;
		return 0;
	}
	if (r->type == RECORD_SEALED && c->state == CHILD_READY && vm->phase == VM_SEALING) {
		c->state = CHILD_SEALED;
		return 0;
	}
	if (r->type == RECORD_TIMING && c->is_vmm && vm->phase == VM_RUNNING &&
	    timings_take(&vm->timings, r->a, r->b))
		return 0;
	if (r->type == RECORD_EXIT && c->is_vmm && vm->phase == VM_RUNNING) {
		vm->end = r->a;
		vm->end_detail = r->b;
		vm->phase = VM_ENDED;
		return 0;
	}
	return err_set(e, EX_INTERNAL, "%s: sent record %u out of turn", c->name, r->type);
}

/* The channel closed: most often since the process ended, whose status says more. */
static int channel_closed(struct vm *vm, struct child *c, struct err *e)
{
	struct pollfd p = { .fd = c->pidfd, .events = POLLIN };

	close(c->control);
	c->control = -1;
	(void)poll(&p, 1, 1000);
	if (child_reap(c))
		return vm_child_died(vm, c, e);
	return err_set(e, EX_INTERNAL, "%s: closed its channel to the launcher", c->name);
}

static int serve_child(struct vm *vm, struct child *c, bool record, bool died, struct err *e)
{
	struct record r;

	/* Records first: the VMM says why it ends, then ends. */
	if (record && c->control >= 0) {
		int rc = record_receive(c->control, c->name, &r, e);
		if (rc < 0)
			return rc;
		return rc == 0 ? channel_closed(vm, c, e) : take_record(vm, c, &r, e);
	}
	if (died && child_reap(c))
		return vm_child_died(vm, c, e);
	return 0;
}

static bool all_in(const struct vm *vm, enum child_state state)
{
	for (unsigned i = 0; i < vm->child_count; i++)
		if (vm->child[i].control >= 0 && vm->child[i].state != state)
			return false;
	return true;
}

/* Goes on when every child has done its step. True: it did. */
static int advance(struct vm *vm, bool *advanced, struct err *e)
{
	int rc = 0;

	*advanced = false;
	if (vm->phase == VM_STARTING && all_in(vm, CHILD_READY)) {
		for (unsigned i = 0; rc == 0 && i < vm->child_count; i++)
			if (vm->child[i].control >= 0)
				rc = record_send(vm->child[i].control, RECORD_SEAL, 0, 0, e);
		vm->phase = VM_SEALING;
		timings_mark(&vm->timings, TIMING_READY);
		*advanced = true;
	} else if (vm->phase == VM_SEALING && all_in(vm, CHILD_SEALED)) {
		if ((rc = vm_check_sealed(vm, e)) != 0 || (rc = vm_manifest_write(vm, e)) != 0 ||
		    (rc = records_started(vm, e)) != 0)
			return rc;
		for (unsigned i = 0; rc == 0 && i < vm->child_count; i++)
			if (vm->child[i].is_vmm)
				rc = record_send(vm->child[i].control, RECORD_GO, 0, 0, e);
		vm->phase = VM_RUNNING;
		timings_mark(&vm->timings, TIMING_SEALED);
		*advanced = true;
		char pair[MCS_TEXT];
		mcs_text(&vm->run.pair, pair);
		if ((vm->missing & VM_MISSING_LIMITS) != 0)
			fprintf(stderr, "%s: note: no limits of memory and processes: %s\n",
				vm->opt->name, vm->unlimited.text);
		fprintf(stderr, "%s: running (isolation %s, categories %s)\n", vm->opt->name,
			vm->opt->required ? "required" : "degraded", pair);
	}
	return rc;
}

enum { POLL_SIGNALS = 0, POLL_CONTROL = 1, POLL_CHILDREN = POLL_CONTROL + CONTROL_POLL_MAX,
       POLL_MAX = POLL_CHILDREN + 2 * VM_CHILD_MAX };

static void prepare_poll(const struct vm *vm, struct pollfd *pfd)
{
	pfd[POLL_SIGNALS] = (struct pollfd){ .fd = vm->signals, .events = POLLIN };
	control_prepare(&vm->control, &pfd[POLL_CONTROL]);
	for (unsigned i = 0; i < VM_CHILD_MAX; i++) {
		bool used = i < vm->child_count;
		struct pollfd *p = &pfd[POLL_CHILDREN + 2 * i];
		p[0] = (struct pollfd){ .fd = used ? vm->child[i].control : -1, .events = POLLIN };
		p[1] = (struct pollfd){ .fd = used ? vm->child[i].pidfd : -1, .events = POLLIN };
	}
}

static bool asked_to_stop(struct vm *vm, const struct pollfd *pfd)
{
	const struct control_view view = {
		.phase = vm->phase == VM_RUNNING ? CONTROL_RUNNING : CONTROL_STARTING,
		.isolation = vm->opt->required ? CONTROL_REQUIRED : CONTROL_DEGRADED,
		.missing = vm->missing,
		.agent_channel = vm->agent_channel,
		.describe = describe_vm,
		.described = vm,
	};
	struct signalfd_siginfo info;
	bool stop = control_serve(&vm->control, &pfd[POLL_CONTROL], &view);

	if (pfd[POLL_SIGNALS].revents != 0 &&
	    read(vm->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
		stop = true;
	return stop;
}

/* The VMM's records before all else: when it powers off, its devices' ends are no failures. */
static int serve_children(struct vm *vm, const struct pollfd *pfd, struct err *e)
{
	int rc = 0;

	for (int vmm = 1; vmm >= 0; vmm--)
		for (unsigned i = 0; rc == 0 && vm->phase != VM_ENDED && i < vm->child_count; i++) {
			const struct pollfd *p = &pfd[POLL_CHILDREN + 2 * i];
			if (vm->child[i].is_vmm == (vmm == 1))
				rc = serve_child(vm, &vm->child[i], p[0].revents != 0,
						 p[1].revents != 0, e);
		}
	return rc;
}

/* How long to wait for something to happen, in ms. */
static int poll_time(const struct vm *vm, int64_t deadline)
{
	int64_t left = deadline - now_ms();

	if (vm->phase == VM_RUNNING || left > WATCH_MS)
		left = vm->watch.page != NULL ? WATCH_MS : vm->phase == VM_RUNNING ? -1 : left;
	else if (left < 0)
		left = 0;
	return (int)left;
}

/* Before the guest's first instruction, and as long as it runs. */
static int check_isolation(struct vm *vm, struct err *e)
{
	int rc = watch_check(&vm->watch, e);

	vm->isolation_lost = rc != 0;
	return rc;
}

int vm_supervise(struct vm *vm, struct err *e)
{
	struct pollfd pfd[POLL_MAX];
	int64_t deadline = now_ms() + STEP_MS;
	bool advanced;
	int rc = 0;

	while (rc == 0 && vm->phase != VM_ENDED) {
		if (vm->phase != VM_RUNNING && deadline <= now_ms())
			return err_set(e, EX_HOST, "%s: not %s after %d s: see the logs of its "
				       "processes (--keep-logs)", vm->opt->name,
				       vm->phase == VM_STARTING ? "ready" : "sealed",
				       STEP_MS / 1000);
		prepare_poll(vm, pfd);
		if (poll(pfd, POLL_MAX, poll_time(vm, deadline)) < 0 && errno != EINTR)
			return err_errno(e, EX_INTERNAL, errno, "poll");
		if ((rc = check_isolation(vm, e)) == 0)
			rc = serve_children(vm, pfd, e);
		if (rc == 0 && vm->phase != VM_ENDED && asked_to_stop(vm, pfd)) {
			vm->asked_to_stop = true;
			return 0;
		}
		if (rc == 0 && (rc = advance(vm, &advanced, e)) == 0 && advanced)
			deadline = now_ms() + STEP_MS;
	}
	return rc;
}

int vm_end_text(const struct vm *vm, char *out, size_t size)
{
	if (vm->asked_to_stop) {
		snprintf(out, size, "stopped");
		return EX_OK;
	}
	switch (vm->end) {
	case VM_END_POWER_OFF:
		snprintf(out, size, "the guest powered off");
		return EX_OK;
	case VM_END_STOPPED:
		snprintf(out, size, "stopped");
		return EX_OK;
	case VM_END_RESET:
		snprintf(out, size, "the guest asked for a reset, which ends it: start it again");
		return EX_GUEST;
	case VM_END_TRIPLE_FAULT:
		snprintf(out, size, "the guest crashed (triple fault)");
		return EX_GUEST;
	case VM_END_FIRMWARE_STOP:
		snprintf(out, size, "firmware stop 0x%x: %s", vm->end_detail,
			 stop_text(vm->end_detail));
		return EX_FIRMWARE;
	case VM_END_TERMINATED:
		snprintf(out, size, "the guest ended itself (set %u, reason %u): %s",
			 vm->end_detail >> 8, vm->end_detail & 0xFF,
			 snp_term_text(vm->end_detail >> 8, vm->end_detail & 0xFF));
		return EX_GUEST;
	case VM_END_MEMORY_FAULT:
		snprintf(out, size, "the guest used page 0x%x in a way it had not asked for: see "
			 "vmm.log (--keep-logs)", vm->end_detail);
		return EX_GUEST;
	case VM_END_KVM_ERROR:
		snprintf(out, size, "KVM could not run the guest on (code %u): see vmm.log "
			 "(--keep-logs)", vm->end_detail);
		return EX_GUEST;
	default:
		snprintf(out, size, "the VMM gave an unknown reason %u for its end", vm->end);
		return EX_INTERNAL;
	}
}
