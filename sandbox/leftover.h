/* Processes that outlived their launcher. None should: the kernel kills them with it. But the order
 * to do so is a process's own to clear, and a taken-over one may; and one with much memory takes
 * its time to die. */
#ifndef PAVISE_SANDBOX_LEFTOVER_H
#define PAVISE_SANDBOX_LEFTOVER_H

#include "common/err.h"
#include "sandbox/mcs.h"

/* Kills every process that bears a user id of the pair and is no child of a launcher, and waits
 * until it is gone. For hosts without cgroup v2, which does it better; under SELinux the launcher
 * may not look at other processes, so there nothing is done. The number of those it found, or
 * -EX_HOST. */
int leftover_end(const struct mcs_pair *pair, struct err *e);

#endif
