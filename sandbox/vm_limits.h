/* The limits of one VM: what they are worked out from, and where they stand. */
#ifndef PAVISE_SANDBOX_VM_LIMITS_H
#define PAVISE_SANDBOX_VM_LIMITS_H

#include "common/err.h"
#include "sandbox/cgroup_limits.h"
#include "sandbox/vm.h"

struct limits_guest vm_limits_guest(const struct vm *vm);

/* Looks whether the host can give limits; then, with the pair, makes the VM's cgroup. Where it
 * cannot, a VM of degraded isolation goes on without (VM_MISSING_LIMITS); all else is an error. */
int vm_limits_open(struct vm *vm, struct err *e);
int vm_limits_make(struct vm *vm, struct err *e);

/* A child's cgroup, if the VM has one: *dir is the caller's, or -1. */
int vm_limits_child(const struct vm *vm, const char *child, enum limits_role role,
		    struct limits *granted, int *dir, struct err *e);

#endif
