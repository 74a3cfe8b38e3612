/* Steps of a child between clone and exec; each returns 0 or a negative errno. They run in the
 * new namespaces, in the order of sandbox/README.md; the caller is single-threaded. */
#ifndef PAVISE_SANDBOX_JAIL_H
#define PAVISE_SANDBOX_JAIL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Descriptors of mounts that are not attached yet; -1: none. */
struct jail {
	int usr, state; /* for a foreign program */
	int root;       /* the new root, attached over the mount point */
};

/* As the real root, whose permissions the launcher's folders ask for: makes the mounts. */
int jail_mounts(struct jail *j, const char *mount_point, const char *state, uid_t id,
		gid_t group);

/* Drops supplementary groups, takes user and group id (real, effective, saved). */
int jail_ids(uid_t id, gid_t group);

/* As the new user: fills the root, makes it read-only, and makes it the only thing to see. */
int jail_enter(struct jail *j);

/* Hard and soft alike: soft limits are reset at a label transition without rlimitinh. */
int jail_limits(uint64_t file_limit, uint64_t fd_limit, uint64_t thread_limit);

/* No capability in any of the five sets, and none to be had by exec. */
int jail_capabilities(void);

/* Landlock for a foreign program: read and execute below /usr, files below /state. */
int jail_landlock(void);

#endif
