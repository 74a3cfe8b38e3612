/* pavise-vmm-sim that lets the kernel write a core of it: a program of tests, never installed. It
 * leaves out PR_SET_DUMPABLE 0 and Landlock, each of which alone prevents a core. */
#include "common/seal.h"

#include <errno.h>
#include <sys/prctl.h>

int __wrap_seal_process(struct err *e);
int __real_seal_process(struct err *e);
int __wrap_seal_landlock(struct err *e);

int __wrap_seal_process(struct err *e)
{
	int rc = __real_seal_process(e);

	if (rc == 0 && prctl(PR_SET_DUMPABLE, 1ul, 0ul, 0ul, 0ul) != 0)
		rc = err_errno(e, EX_HOST, errno, "PR_SET_DUMPABLE");
	return rc;
}

int __wrap_seal_landlock(struct err *e)
{
	(void)e;
	return 0;
}
