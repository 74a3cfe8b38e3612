/* What a launcher that was killed left: its processes, the labels of its images, its folder, its
 * pair; brought in order by the next launcher of whatever VM, or by pavise-launch --reclaim.
 *
 * Each thing done is one line on standard error, "pavise: reclaimed NAME: ..."; what could not or may
 * not be done is one too, "pavise: left of NAME: ...". The order, so that a reclaimer that is killed
 * itself is followed by one that finds the rest: processes, labels (each is known by its record,
 * which goes when all are back), folder, and last the pair's entry, by which all of it is found. */
#ifndef PAVISE_SANDBOX_RECLAIM_H
#define PAVISE_SANDBOX_RECLAIM_H

#include "common/err.h"
#include "sandbox/mcs.h"

#include <stdbool.h>

struct reclaim {
	int base;           /* the run directory */
	const char *cgroup; /* where cgroups are, if the folder does not say */
	unsigned kept;      /* dead VMs that are not cleared up: their pairs stay out of use */
};

/* An mcs_reclaimed_fn; context is a struct reclaim. False while an image may still carry the pair
 * or a process runs under it, and that may change: then folder and pair stay for the next time.
 * An image that is not where it was, or that bears another label by now, is left as it is: the pair
 * is given back, since disk_take takes an image with the pair of nobody, and none of a living VM. */
bool reclaim_dead(void *context, const struct mcs_dead *dead);

/* Reclaims what all dead launchers left in a run directory, which need not exist. -EX_BUSY when
 * something has to be reclaimed again later; -EX_HOST. */
int reclaim_all(const char *run_dir, const char *cgroup, struct err *e);

#endif
