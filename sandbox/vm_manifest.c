#include "sandbox/vm_manifest.h"

#include "common/seal.h"
#include "sandbox/proc_state.h"
#include "sandbox/procid.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert(VM_CHILD_MAX <= MANIFEST_PROCESSES, "processes of one VM");

/* Queues of the device with the most of them (virtio-vsock), each with a kick and a call. */
#define QUEUES 3u
/* Regions of guest memory that a back end is told of, a descriptor of the one file each. */
#define REGIONS 8u

/* What our programs make once they run: docs/PROTOCOL.manifest says why each. */
static void expect_made(const struct vm *vm, struct manifest_process *p, const char *ram)
{
	const bool confidential = vm->opt->tee != PLAN_TEE_PLAIN;
	const unsigned devices = vm->opt->disk_count + 1;

	if (strcmp(p->role, "vmm") == 0) {
		manifest_makes(p, "kvm-vm", 1, "");
		manifest_makes(p, "kvm-vcpu", vm->opt->cpus, "");
		/* Its end, quotes; each device's kicks, calls and change of configuration. */
		manifest_makes(p, "eventfd", 2 + devices * (2 * QUEUES + 1), "");
		manifest_makes(p, "kvm-gmem", confidential && !vm->opt->simulated ? 2 : 0, "");
		manifest_makes(p, "memfd", vm->opt->simulated ? 2 : 0, "");
		manifest_makes(p, "pipe", vm->opt->simulated ? 2 : 0, "");
	} else if (strncmp(p->role, "dev-", 4) == 0) {
		manifest_makes(p, "eventfd", 2 * QUEUES, "");
		manifest_makes(p, "memfd", REGIONS, ram);
	} else if (strcmp(p->role, "vtpm") == 0) {
		manifest_makes(p, "regular", 4, ""); /* its state, and the lock on it */
		manifest_makes(p, "pipe", 2, "");
	} else {
		manifest_makes(p, "socket", 1, ""); /* the relay's, and the service's to it */
	}
}

static unsigned filters_of(const char *role)
{
	return strcmp(role, "vmm") == 0 || strncmp(role, "dev-", 4) == 0 ? SEAL_FILTERS : 1;
}

static int own_folder(struct err *e)
{
	int fd = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd >= 0 ? fd : err_errno(e, EX_HOST, errno, "/proc/self: mount /proc");
}

static int note_fds(const struct vm *vm, const struct child_spec *s, struct manifest_process *p,
		    struct err *e)
{
	int self = own_folder(e), rc = self < 0 ? self : 0;

	for (unsigned i = 0; rc == 0 && i < 3 + s->fd_count; i++) {
		struct manifest_fd *f = &p->fd[p->fd_count++];
		f->number = i;
		rc = fd_facts_read(self, (unsigned)(i < 3 ? s->log : s->fds[i - 3]), vm->labels.on,
				   &f->is, e);
	}
	if (self >= 0)
		close(self);
	return rc;
}

static int note_file(int fd, char out[FILE_ID_MAX], struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return err_errno(e, EX_HOST, errno, "fstat");
	file_id(&st, out);
	return 0;
}

/* What stands in a cgroup's files: cgroup_make and cgroup_add have just read back what they
 * wrote. */
static int note_limits(const char *role, int dir, struct manifest_cgroup *c, struct err *e)
{
	static const char *const files[] = { "memory.max", "memory.swap.max",
					     "memory.oom.group", "pids.max" };
	char value[32];

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		ssize_t n = proc_read(dir, files[i], value, sizeof(value));
		if (n <= 0)
			return err_set(e, EX_HOST, "%s: its cgroup: %s: cannot be read", role,
				       files[i]);
		value[strcspn(value, "\n")] = '\0';
		manifest_limits(c, files[i], value);
	}
	return 0;
}

/* The child's cgroup, and with the first child the VM's, above it. */
static int note_cgroup(struct vm *vm, struct manifest_process *p, struct err *e)
{
	char path[sizeof("/proc/") + 16];
	struct manifest_cgroup *whole = &vm->manifest.cgroup;
	const size_t room = sizeof(p->cgroup.path);

	if (vm->cgroup.dir < 0)
		return 0;
	snprintf(path, sizeof(path), "/proc/%d", (int)p->pid);
	int process = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool seen = process >= 0 && proc_cgroup(process, p->cgroup.path, room);
	if (process >= 0)
		close(process);
	const char *last = strrchr(p->cgroup.path, '/');
	if (!seen || last == NULL || strcmp(last + 1, p->role) != 0)
		return err_set(e, EX_INTERNAL, "%s: in cgroup %.100s", p->role, p->cgroup.path);
	int dir = openat(vm->cgroup.dir, p->role, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int rc = dir < 0 ? err_errno(e, EX_HOST, errno, "%s: its cgroup", p->role) :
			   note_limits(p->role, dir, &p->cgroup, e);
	if (dir >= 0)
		close(dir);
	if (rc != 0 || whole->path[0] != '\0')
		return rc;
	snprintf(whole->path, room, "%.*s", (int)(last - p->cgroup.path), p->cgroup.path);
	return note_limits("the VM", vm->cgroup.dir, whole, e);
}

int vm_manifest_child(struct vm *vm, const struct child_spec *s, pid_t pid, struct err *e)
{
	struct manifest_process *p = &vm->manifest.process[vm->manifest.count];
	char ram[FILE_ID_MAX];
	int rc;

	*p = (struct manifest_process){
		.pid = pid, .uid = s->id, .gid = s->group, .foreign = s->state != NULL,
		.filters = filters_of(s->name),
		.rlimit = { [MANIFEST_FSIZE] = s->file_limit, [MANIFEST_NOFILE] = s->fd_limit,
			    [MANIFEST_NPROC] = s->thread_limit, [MANIFEST_MEMLOCK] = 64u << 10 },
	};
	snprintf(p->role, sizeof(p->role), "%s", s->name);
	if (vm->labels.on)
		snprintf(p->label, sizeof(p->label), "%s", s->label);
	/* One that ended at once has none; whoever waits for its records says how it ended. */
	if (!procid_start(pid, &p->start))
		p->start = 0;
	if ((rc = note_file(s->binary, p->program, e)) != 0 ||
	    (rc = note_file(vm->ram, ram, e)) != 0 || (rc = note_fds(vm, s, p, e)) != 0 ||
	    (rc = note_cgroup(vm, p, e)) != 0)
		return rc;
	expect_made(vm, p, ram);
	vm->manifest.count++;
	return 0;
}

static int note_namespaces(struct manifest *m, struct err *e)
{
	int self = own_folder(e), rc = self < 0 ? self : 0;

	for (int i = 0; rc == 0 && i < MANIFEST_NAMESPACES; i++)
		rc = proc_namespace(self, manifest_namespace[i], &m->host_namespace[i], e);
	if (self >= 0)
		close(self);
	return rc;
}

int vm_manifest_write(struct vm *vm, struct err *e)
{
	struct manifest *m = &vm->manifest;
	int rc = note_namespaces(m, e);

	snprintf(m->name, sizeof(m->name), "%s", vm->opt->name);
	mcs_text(&vm->run.pair, m->pair);
	m->required = vm->opt->required;
	m->missing = vm->missing;
	m->launcher = getpid();
	if (rc == 0 && !procid_start(m->launcher, &m->launcher_start))
		rc = err_set(e, EX_HOST, "/proc/self/stat: cannot be read: mount /proc");
	return rc == 0 ? manifest_write(m, vm->run.dir, e) : rc;
}
