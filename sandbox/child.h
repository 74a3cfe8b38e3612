/* Starts one confined process: namespaces, own user id, empty root, no capability, label. */
#ifndef PAVISE_SANDBOX_CHILD_H
#define PAVISE_SANDBOX_CHILD_H

#include "common/err.h"

#include <stdint.h>
#include <sys/types.h>

#define CHILD_FD_MAX 24   /* descriptors passed, numbers 3 and up */
#define CHILD_ARG_MAX 40

/* What a child is to be. Everything is borrowed for the time of child_start. */
struct child_spec {
	const char *name;         /* for texts: "vmm", "dev-blk0" */
	int binary;               /* the program, opened beforehand */
	const char *argv[CHILD_ARG_MAX]; /* NULL-terminated; the environment is empty */
	uid_t id;                 /* user id, of this child alone */
	gid_t group;              /* the same number, but where a file of the host is for a group */
	const char *label;        /* of the process; "none" in degraded isolation */
	int log;                  /* becomes descriptors 0, 1 and 2 */
	int fds[CHILD_FD_MAX];    /* fds[i] becomes descriptor 3 + i; all others are closed */
	size_t fd_count;
	uint64_t file_limit;      /* RLIMIT_FSIZE, bytes */
	uint64_t fd_limit;        /* RLIMIT_NOFILE */
	uint64_t thread_limit;    /* RLIMIT_NPROC: the user id is the child's alone */
	int cgroup;               /* directory of the one it is to be born in; -1: the launcher's */
	const char *mount_point;  /* a directory of ours the jail's root is mounted over */
	/* For a foreign program, dynamic and opening its files by path; NULL for our own: a folder
	 * it may write, seen as /state, beside a read-only /usr, both under Landlock rules. */
	const char *state;
};

/* Starts it. Returns when the program runs (its exec succeeded): *pid and *pidfd are the
 * caller's. -EX_HOST names the step that failed; nothing is left then. */
int child_start(const struct child_spec *s, pid_t *pid, int *pidfd, struct err *e);

/* What a child tells the launcher over a pipe when a step before exec fails. */
enum child_step {
	CHILD_PARENT = 1, CHILD_MOUNTS, CHILD_IDS, CHILD_ROOT, CHILD_LIMITS, CHILD_FDS,
	CHILD_LABEL, CHILD_CAPS, CHILD_NNP, CHILD_LANDLOCK, CHILD_EXEC, CHILD_STEPS,
};

#endif
