/* pavise-vmm: makes one virtual machine from the descriptors and the plan the launcher passed,
 * sealed twice: before it reads any of them, and narrower before the guest runs. One guest, one
 * process, one life. */
#include "common/seal.h"
#include "vmm/config.h"
#include "vmm/filters.h"
#include "vmm/machine.h"
#include "vmm/run.h"
#include "vmm/vm.h"

#include <unistd.h>

static struct vm vm; /* large; lives as long as the process */

/* The launcher reads our standard error, the operator the VM's log: the cause goes to both. How a
 * guest ended is in the log already. */
static int fail(const struct err *e)
{
	if (vm.log_fd > 0 && atomic_load(&vm.end) == 0)
		vm_log(&vm, "%s", e->text);
	return err_report(e, "pavise-vmm");
}

/* Everything that a thread hands down to those it makes, and a first filter, before any byte of the
 * plan or of a back end is looked at. There is one thread yet; all of them take it, should there
 * ever be more. */
static int seal_set_up(struct err *e)
{
	struct filter f = filter_of_set_up();
	int rc = seal_process(e);

	if (rc == 0)
		rc = seal_landlock(e);
	return rc == 0 ? seal_seccomp(f.code, f.count, 1, e) : rc;
}

int main(int argc, char **argv)
{
	struct err e = { 0 };
	struct config config;
	int rc = config_parse(&config, argc, argv, &e);

	if (rc == 0)
		rc = config_check_environment(&config, &e);
	if (rc == 0)
		rc = vcpu_init_signals(&e);
	if (rc == 0)
		rc = seal_set_up(&e);
	if (rc == 0)
		rc = machine_build(&vm, &config, &e);
	if (rc == 0)
		rc = run_machine(&vm, config.control, &e);
	/* _exit: vCPU threads are parked, and no handler of theirs or ours is left to run. */
	_exit(rc < 0 ? fail(&e) : EX_OK);
}
