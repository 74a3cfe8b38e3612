#include "vmm/run.h"

#include "common/seal.h"
#include "common/snp_term.h"
#include "common/stop_text.h"
#include "vmm/filters.h"
#include "vmm/vm.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define VCPU_STACK   0x40000ul /* bytes; the deepest user is KVM_SET_GSI_ROUTING with its 24 KiB */
#define KICK_EVERY_MS 100
#define KICKS_MAX     50

/* What the vCPU threads and the main thread tell each other. */
struct run {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned sealed;         /* threads whose filter is in place */
	unsigned stopped;        /* threads out of the guest for good */
	bool go;
	struct err error;        /* of the first thread that could not seal */
};

static struct run run = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.changed = PTHREAD_COND_INITIALIZER,
};

static void wait_for_go(void)
{
	while (!run.go)
		pthread_cond_wait(&run.changed, &run.lock);
}

/* Never returns: leaving would need more system calls than waiting for exit_group does. */
static void park(void)
{
	for (;;)
		pthread_cond_wait(&run.changed, &run.lock);
}

static void *vcpu_thread(void *arg)
{
	const struct vcpu *v = arg;
	struct filter f = filter_of_vcpus(v->vm->tee->confidential);
	struct err e = { 0 };
	int rc = seal_seccomp(f.code, f.count, 0, &e);

	pthread_mutex_lock(&run.lock);
	run.sealed++;
	if (rc < 0 && run.error.status == EX_OK)
		run.error = e;
	pthread_cond_broadcast(&run.changed);
	wait_for_go();
	pthread_mutex_unlock(&run.lock);

	vcpu_loop(arg);

	pthread_mutex_lock(&run.lock);
	run.stopped++;
	pthread_cond_broadcast(&run.changed);
	park();
	return NULL;
}

static int start_threads(struct vm *vm, struct err *e)
{
	pthread_attr_t attr;
	int rc = pthread_attr_init(&attr);

	if (rc == 0)
		rc = pthread_attr_setstacksize(&attr, VCPU_STACK);
	for (unsigned i = 0; rc == 0 && i < vm->cpu_count; i++)
		rc = pthread_create(&vm->vcpu[i].thread, &attr, vcpu_thread, &vm->vcpu[i]);
	if (rc != 0)
		return err_errno(e, EX_HOST, rc, "vmm: cannot start a thread for each vCPU");
	return 0;
}

/* The second, narrower filter. no_new_privs, capabilities, the Landlock domain and the filter of
 * set-up belong to a thread and are inherited by those it makes: all threads have them. On top,
 * each takes the filter of its role; the kernel follows the stricter of the two. */
static int seal(struct vm *vm, struct err *e)
{
	struct filter f = filter_of_main();
	int rc = start_threads(vm, e);

	if (rc < 0)
		return rc;
	pthread_mutex_lock(&run.lock);
	while (run.sealed < vm->cpu_count)
		pthread_cond_wait(&run.changed, &run.lock);
	if (run.error.status != EX_OK) {
		*e = run.error;
		rc = -run.error.status;
	}
	pthread_mutex_unlock(&run.lock);
	if (rc == 0)
		rc = seal_seccomp(f.code, f.count, 0, e);
	return rc;
}

/* 1: the awaited record came; 0: the launcher ends it (or is gone) before the guest ran. */
static int await(int control, enum record_type type, struct err *e)
{
	struct record r;
	int rc = record_receive(control, "launcher", &r, e);

	if (rc <= 0)
		return rc;
	if (r.type == type)
		return 1;
	if (r.type == RECORD_STOP)
		return 0;
	return err_set(e, EX_INTERNAL, "launcher: sent record %u, expected %u", r.type,
		       (unsigned)type);
}

static void let_go(struct vm *vm)
{
	vm_mark(vm, VM_MOMENT_RUNS);
	pthread_mutex_lock(&run.lock);
	run.go = true;
	pthread_cond_broadcast(&run.changed);
	pthread_mutex_unlock(&run.lock);
}

static void add_ms(struct timespec *t, long ms)
{
	t->tv_nsec += ms * 1000000;
	t->tv_sec += t->tv_nsec / 1000000000;
	t->tv_nsec %= 1000000000;
}

/* Bounded: a vCPU that the kernel does not give back dies with the process instead. */
static void stop_vcpus(struct vm *vm)
{
	pthread_mutex_lock(&run.lock);
	for (int kick = 0; run.stopped < vm->cpu_count && kick < KICKS_MAX; kick++) {
		struct timespec deadline;
		int rc = 0;

		for (unsigned i = 0; i < vm->cpu_count; i++)
			vcpu_kick(&vm->vcpu[i]);
		clock_gettime(CLOCK_MONOTONIC, &deadline);
		add_ms(&deadline, KICK_EVERY_MS);
		while (run.stopped < vm->cpu_count && rc == 0)
			rc = pthread_cond_clockwait(&run.changed, &run.lock, CLOCK_MONOTONIC,
						    &deadline);
	}
	if (run.stopped < vm->cpu_count)
		vm_log(vm, "%u vCPUs did not stop in time", vm->cpu_count - run.stopped);
	pthread_mutex_unlock(&run.lock);
}

/* Waits for the launcher, the guest's end, or what else this kind of guest has the main thread wait
 * for. 1: the launcher has something to say; 0: the guest ended. */
static int wait_for_end(struct vm *vm, int control, struct err *e)
{
	for (;;) {
		struct pollfd p[3] = {
			{ .fd = control, .events = POLLIN },
			{ .fd = vm->end_fd, .events = POLLIN },
			{ .fd = vm->tee->wait_fd ? vm->tee->wait_fd(vm) : -1, .events = POLLIN },
		};

		if (ppoll(p, 3, NULL, NULL) < 0) {
			if (errno == EINTR)
				continue;
			return err_errno(e, EX_INTERNAL, errno, "vmm: cannot wait");
		}
		if (p[1].revents != 0)
			return 0;
		if (p[0].revents != 0)
			return 1;
		if (p[2].revents != 0)
			vm->tee->wake(vm);
	}
}

/* Until the guest ends or the launcher ends it. While the guest runs the launcher has nothing to
 * say but STOP; a closed socket means that it is gone, and its VM goes with it. */
static int supervise(struct vm *vm, int control, struct err *e)
{
	int rc = wait_for_end(vm, control, e);

	if (rc <= 0)
		return rc;
	rc = await(control, RECORD_STOP, e);
	vm_end(vm, VM_END_STOPPED, 0);
	return rc < 0 ? rc : 0;
}

struct end_text {
	enum exit_status status;
	const char *text;
};

static struct end_text describe_end(unsigned end, unsigned detail)
{
	switch (end) {
	case VM_END_POWER_OFF:
		return (struct end_text){ EX_OK, "the guest powered off" };
	case VM_END_STOPPED:
		return (struct end_text){ EX_OK, "stopped by the launcher" };
	case VM_END_RESET:
		return (struct end_text){ EX_GUEST, "the guest asked for a reset" };
	case VM_END_TRIPLE_FAULT:
		return (struct end_text){ EX_GUEST, "triple fault in the guest" };
	case VM_END_FIRMWARE_STOP:
		return (struct end_text){ EX_FIRMWARE, stop_text(detail) };
	case VM_END_TERMINATED:
		return (struct end_text){ EX_GUEST, snp_term_text(detail >> 8, detail & 0xFF) };
	case VM_END_MEMORY_FAULT:
		return (struct end_text){ EX_GUEST, "the guest used memory it had not asked for" };
	}
	return (struct end_text){ EX_HOST, "KVM cannot run the guest: see the log" };
}

/* Where the time went: a line in the log, and to the launcher for `pavise run --timings`. */
static void report_moments(struct vm *vm, int control)
{
	static const char *const name[VM_MOMENTS] = {
		[VM_MOMENT_MADE] = "made", [VM_MOMENT_LOADED] = "loaded",
		[VM_MOMENT_RUNS] = "runs", [VM_MOMENT_HANDED_OVER] = "handed over",
		[VM_MOMENT_ENDED] = "ended",
	};
	struct err ignored = { 0 };
	char text[200] = "";
	size_t n = 0;

	atomic_store(&vm->moment[VM_MOMENT_PAGES],
		     vm->pages_added < UINT32_MAX ? (unsigned)vm->pages_added : UINT32_MAX);
	for (unsigned m = VM_MOMENT_MADE; m < VM_MOMENTS; m++) {
		unsigned value = atomic_load(&vm->moment[m]);

		if (value == 0)
			continue;
		if (name[m] && n < sizeof(text))
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%s %u.%06u s, ", name[m],
					      value / 1000000, value % 1000000);
		(void)record_send(control, RECORD_TIMING, m, value, &ignored);
	}
	vm_log(vm, "times: %s%llu pages added", text, (unsigned long long)vm->pages_added);
}

static int report_end(struct vm *vm, int control, struct err *e)
{
	struct err ignored = { 0 }; /* the launcher may be gone */
	unsigned end = atomic_load(&vm->end);
	unsigned detail = atomic_load(&vm->end_detail);
	struct end_text t = describe_end(end, detail);

	report_moments(vm, control);
	vm_log(vm, "end %u, detail %#x: %s", end, detail, t.text);
	(void)record_send(control, RECORD_EXIT, end, detail, &ignored);
	if (t.status == EX_OK)
		return 0;
	return err_set(e, t.status, "%s: end %u, detail %#x: %s", vm->name, end, detail, t.text);
}

/* 1: GO came; 0: the launcher ended it before the guest ran. */
static int prepare(struct vm *vm, int control, struct err *e)
{
	int rc = record_send(control, RECORD_READY, 0, 0, e);

	if (rc == 0)
		rc = await(control, RECORD_SEAL, e);
	if (rc <= 0)
		return rc;
	rc = seal(vm, e);
	if (rc == 0)
		rc = record_send(control, RECORD_SEALED, 0, 0, e);
	return rc < 0 ? rc : await(control, RECORD_GO, e);
}

int run_machine(struct vm *vm, int control, struct err *e)
{
	int rc = prepare(vm, control, e);

	if (rc == 0)
		vm_end(vm, VM_END_STOPPED, 0);
	if (rc == 1) {
		vm_log(vm, "sealed; the guest runs");
		let_go(vm);
		rc = supervise(vm, control, e);
		stop_vcpus(vm);
	}
	return rc < 0 ? rc : report_end(vm, control, e);
}
