/* Which processes a processor core's hardware threads may run side by side. */
#ifndef PAVISE_SANDBOX_CORE_SCHED_H
#define PAVISE_SANDBOX_CORE_SCHED_H

#include "common/err.h"

/* From here on this process and all it starts, exec included, share a core's hardware threads with
 * one another only (Documentation/admin-guide/hw-vuln/core-scheduling.rst). 0 too where there is
 * nothing to separate or no means: a machine without hardware threads, a kernel without
 * CONFIG_SCHED_CORE. -EX_HOST: the kernel has it and failed. */
int core_sched_keep_apart(struct err *e);

#endif
