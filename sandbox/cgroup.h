/* The cgroup of one VM (cgroup v2): PARENT/cA.cB, after its pair, with one cgroup in it for each
 * process. The limits stand before a process starts in one (clone3 with CLONE_INTO_CGROUP).
 *
 * The launcher holds a lock (flock) on the VM's directory as long as it lives: what nobody holds
 * was left by a dead one, whatever run directory that had its pair from. */
#ifndef PAVISE_SANDBOX_CGROUP_H
#define PAVISE_SANDBOX_CGROUP_H

#include "common/err.h"
#include "sandbox/cgroup_limits.h"
#include "sandbox/mcs.h"

#include <stdbool.h>
#include <stddef.h>

#define CGROUP_DIR "/sys/fs/cgroup/pavise"

struct cgroup {
	int parent;          /* descriptor of PARENT; -1: closed */
	int dir;             /* of PARENT/cA.cB, locked; -1: not made */
	char name[MCS_TEXT]; /* "cA.cB" */
	struct limits limits;
};

/* All of *c closed. */
void cgroup_none(struct cgroup *c);

/* Opens PARENT, an absolute path, and sees that cgroups in it get the controllers for memory and
 * tasks; makes it where its own parent is there. -EX_HOST: no cgroup v2, not root's alone, no such
 * controllers. */
int cgroup_open(const char *parent, struct cgroup *c, struct err *e);

/* Makes PARENT/cA.cB with limits; what a dead launcher left there goes first. Nothing is left after
 * an error, and *c is as cgroup_open left it. -EX_BUSY: a living launcher of another run directory
 * holds it. */
int cgroup_make(struct cgroup *c, const struct mcs_pair *pair, const struct limits *l,
		struct err *e);

/* Makes one for a process in it; *dir is the caller's. */
int cgroup_add(const struct cgroup *c, const char *child, const struct limits *l, int *dir,
	       struct err *e);

/* Was a process of the child killed for want of memory? Then says whose, "its limit of 9 MiB" or
 * the like, into out. */
bool cgroup_out_of_memory(const struct cgroup *c, const char *child, char *out, size_t size);

/* Kills whoever is left in it, waits, removes it; closes everything. Safe to call twice. */
int cgroup_remove(struct cgroup *c, struct err *e);

/* The same for what a dead launcher left of this pair under parent. *found: there was something. A
 * VM that runs, and a host without cgroup v2, have nothing to reclaim. */
int cgroup_reclaim(const char *parent, const struct mcs_pair *pair, bool *found, struct err *e);

#endif
