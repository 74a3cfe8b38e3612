#include "sandbox/core_sched.h"

#include <errno.h>
#include <linux/prctl.h>
#include <sys/prctl.h>

int core_sched_keep_apart(struct err *e)
{
	if (prctl(PR_SCHED_CORE, (unsigned long)PR_SCHED_CORE_CREATE, 0ul,
		  (unsigned long)PR_SCHED_CORE_SCOPE_THREAD, 0ul) == 0)
		return 0;
	/* ENODEV: no two hardware threads share a core; EINVAL: not in this kernel. */
	if (errno == ENODEV || errno == EINVAL)
		return 0;
	return err_errno(e, EX_HOST, errno, "cores: cannot keep those of the VM apart");
}
