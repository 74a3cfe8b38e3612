#include "vmm/tee/launch.h"

#include "firmware/layout.h"
#include "vmm/vm.h"

#include <pthread.h>
#include <signal.h>

int launch_undisturbed(launch_fn launch, struct vm *vm, const struct plan *p,
		       const struct fw_boot_block *block, struct err *e)
{
	sigset_t all, before;
	int rc;

	sigfillset(&all);
	if (pthread_sigmask(SIG_BLOCK, &all, &before) != 0)
		return err_set(e, EX_INTERNAL, "launch: cannot keep signals off");
	rc = launch(vm, p, block, e);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

int launch_stage(struct vm *vm, const struct plan_region *r, const struct fw_boot_block *block,
		 struct err *e)
{
	bool is_block = r->type == PLAN_BOOT_BLOCK;
	const void *data = is_block ? (const void *)block : r->data;
	size_t size = is_block ? sizeof(*block) : (size_t)r->size;

	if (gpa_write(&vm->memory, r->gpa, data, size) < 0)
		return err_set(e, EX_MALFORMED, "plan: region at %#llx does not lie in RAM",
			       (unsigned long long)r->gpa);
	return 0;
}
