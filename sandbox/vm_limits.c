#include "sandbox/vm_limits.h"

#include "sandbox/layers.h"

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
