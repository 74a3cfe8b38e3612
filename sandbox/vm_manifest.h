/* The launcher's side of the manifest: what it orders is what should be; and its own look at every
 * thread before the guest runs. */
#ifndef PAVISE_SANDBOX_VM_MANIFEST_H
#define PAVISE_SANDBOX_VM_MANIFEST_H

#include "common/err.h"
#include "sandbox/vm.h"

/* Notes a child that was just started as specified; its descriptors are still open here.
 * -EX_HOST. */
int vm_manifest_child(struct vm *vm, const struct child_spec *s, pid_t pid, struct err *e);

/* Every thread of every child, as /proc has it: filters, no_new_privs, no capability, its ids, its
 * label, nobody tracing it. 0, or -EX_INTERNAL naming child, thread and what is otherwise: the
 * child said that it was sealed. */
int vm_check_sealed(const struct vm *vm, struct err *e);

/* Writes the manifest into the VM's folder. -EX_HOST. */
int vm_manifest_write(struct vm *vm, struct err *e);

#endif
