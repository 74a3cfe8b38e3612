#include "sandbox/vm_limits.h"

#include "sandbox/layers.h"
#include "sandbox/proc_state.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct limits_guest vm_limits_guest(const struct vm *vm)
{
	const struct options *o = vm->opt;
	const bool relay = o->quote != OPTION_QUOTE_NONE || (o->simulated && o->tee == PLAN_TEE_TDX);

	return (struct limits_guest){
		.memory = o->memory, .cpus = o->cpus, .simulated = o->simulated,
		.confidential = o->tee != PLAN_TEE_PLAIN,
		.back_ends = o->disk_count + 1, /* and vsock */
		.helpers = (unsigned)o->vtpm + (unsigned)o->simulated + (unsigned)relay,
	};
}

/* In required isolation a VM has limits, or there is none. In degraded isolation the host may lack
 * what they need; a command that is wrong stays wrong. */
static int may_miss(struct vm *vm, int rc, const struct err *why, struct err *e)
{
	if (rc == 0)
		return 0;
	if (vm->opt->required || why->status != EX_HOST)
		return err_set(e, (enum exit_status)why->status, "%s", why->text);
	vm->missing |= VM_MISSING_LIMITS;
	vm->unlimited = *why;
	return 0;
}

int vm_limits_open(struct vm *vm, struct err *e)
{
	struct err why = { 0 };

	if (!layer_on(LAYER_LIMITS))
		return 0;
	return may_miss(vm, cgroup_open(vm->opt->cgroup, &vm->cgroup, &why), &why, e);
}

int vm_limits_make(struct vm *vm, struct err *e)
{
	const struct limits_guest guest = vm_limits_guest(vm);
	struct err why = { 0 };
	struct limits limits;

	if ((vm->missing & VM_MISSING_LIMITS) != 0 || !layer_on(LAYER_LIMITS))
		return 0;
	int rc = limits_of_vm(&guest, &limits, e);
	if (rc != 0)
		return rc;
	return may_miss(vm, cgroup_make(&vm->cgroup, &vm->run.pair, &limits, &why), &why, e);
}

int vm_limits_child(const struct vm *vm, const char *child, enum limits_role role,
		    struct limits *granted, int *dir, struct err *e)
{
	const struct limits_guest guest = vm_limits_guest(vm);

	*dir = -1;
	if (vm->cgroup.dir < 0)
		return 0;
	int rc = limits_of_child(&guest, role, granted, e);
	return rc == 0 ? cgroup_add(&vm->cgroup, child, granted, dir, e) : rc;
}

/* ---- the manifest -------------------------------------------------------------------------- */

static void note(struct manifest_cgroup *c, const char *path, const struct limits *l)
{
	char value[24];

	snprintf(c->path, sizeof(c->path), "%s", path);
	snprintf(value, sizeof(value), "%" PRIu64, l->memory);
	manifest_limits(c, "memory.max", value);
	manifest_limits(c, "memory.swap.max", "0");
	manifest_limits(c, "memory.oom.group", "1");
	snprintf(value, sizeof(value), "%" PRIu64, l->tasks);
	manifest_limits(c, "pids.max", value);
}

/* "0::PATH" of the process (cgroups(7)); false: it has ended, or the path is too long. */
static bool path_of(pid_t pid, char *out, size_t size)
{
	char file[32], text[4096];

	snprintf(file, sizeof(file), "/proc/%d/cgroup", (int)pid);
	if (proc_read(AT_FDCWD, file, text, sizeof(text)) <= 0)
		return false;
	const char *line = strncmp(text, "0::", 3) == 0 ? text : strstr(text, "\n0::");
	if (line == NULL)
		return false;
	line = strchr(line, '/');
	size_t n = line == NULL ? 0 : strcspn(line, "\n");
	if (n == 0 || n >= size)
		return false;
	memcpy(out, line, n);
	out[n] = '\0';
	return true;
}

int vm_limits_note(struct vm *vm, const struct limits *granted, struct err *e)
{
	struct manifest_process *p = &vm->manifest.process[vm->manifest.count - 1];
	char path[sizeof(p->cgroup.path)], tail[MCS_TEXT + MANIFEST_ROLE + 2];

	if (vm->cgroup.dir < 0)
		return 0;
	/* One that ended at once has none; whoever waits for its records says how it ended. */
	if (!path_of(p->pid, path, sizeof(path)))
		return 0;
	const size_t size = (size_t)snprintf(tail, sizeof(tail), "/%s/%s", vm->cgroup.name, p->role);
	const size_t length = strlen(path);
	if (length < size || strcmp(path + length - size, tail) != 0)
		return err_set(e, EX_INTERNAL, "%s: born in cgroup %s, not in its own", p->role,
			       path);
	note(&p->cgroup, path, granted);
	if (vm->manifest.cgroup.path[0] != '\0')
		return 0;
	*strrchr(path, '/') = '\0';
	note(&vm->manifest.cgroup, path, &vm->cgroup.limits);
	return 0;
}
