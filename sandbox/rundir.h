/* The folder of one VM, /run/pavise/NAME: made exclusively, removed on every end. */
#ifndef PAVISE_SANDBOX_RUNDIR_H
#define PAVISE_SANDBOX_RUNDIR_H

#include "common/err.h"
#include "sandbox/labels.h"
#include "sandbox/mcs.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define RUN_DIR "/run/pavise"
#define RUN_CGROUP "cgroup" /* the link in NAME to the cgroup's parent */
#define RUN_PATH_MAX 108 /* so that control.sock fits into sockaddr_un */

struct rundir {
	int base;                 /* descriptor of the run directory; -1: closed */
	int dir;                  /* descriptor of NAME in it; -1: not made */
	char path[RUN_PATH_MAX];  /* of NAME */
	char name[NAME_MAX_LENGTH + 1];
	struct mcs_table table;   /* the pairs, in .pairs beside the VMs */
	struct mcs_pair pair;     /* held while dir is not -1 */
};

/* Opens (makes) the run directory, reclaims what dead launchers left, takes a pair and makes
 * NAME, which says where the VM's cgroup will be. -EX_BUSY: name in use. Nothing is held after an
 * error. */
int rundir_make(const char *base, const char *name, const char *cgroup, struct rundir *d,
		struct err *e);

/* Removes NAME with all in it, gives the pair back, closes. Safe to call twice. While a label of an
 * image is owed (sandbox/disk_record.h) record and pair stay, for whoever reclaims them. */
void rundir_remove(struct rundir *d);

/* A new file NAME/file for a child to append to: labelled, opened O_APPEND, close-on-exec. */
int rundir_log(struct rundir *d, const struct labels *l, const char *file, int *fd, struct err *e);

/* A new folder NAME/folder owned by id and labelled. */
int rundir_folder(struct rundir *d, const struct labels *l, const char *folder, const char *label,
		  uid_t id, struct err *e);

/* Appends at most max bytes of NAME/file to fd, which is the caller's file. */
int rundir_copy_log(struct rundir *d, const char *file, size_t max, int fd, struct err *e);

/* For those who reclaim what a dead launcher left (sandbox/reclaim.h).
 *
 * The run directory itself; make: if it is not there, else *fd is -1 then. -EX_HOST. */
int rundir_open_base(const char *base, bool make, int *fd, struct err *e);

/* Its table of pairs, made when absent. */
int rundir_open_table(const char *base, struct mcs_table *t, struct err *e);

/* Calls the folder of the pair after the pair again, as it is before it has its name: one step, so
 * nobody ever sees it half removed under the name. A descriptor of it, the caller's; -1 and errno:
 * ENOENT when there is none (of this pair: the name may be another VM's). *named: it had it. */
int rundir_unname(int base, const struct mcs_pair *pair, const char *name, bool *named);

/* Empties the folder of that pair, which has no name any more, and removes it, or keeps it with
 * nothing but the record of owed labels. On the disk when this returns. */
void rundir_clear(int base, const struct mcs_pair *pair, bool keep_record);

#endif
