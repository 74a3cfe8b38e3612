/* SELinux labels of one VM and of what it may use; and the proof, before anything is started,
 * that the host enforces them. */
#ifndef PAVISE_SANDBOX_LABELS_H
#define PAVISE_SANDBOX_LABELS_H

#include "common/err.h"
#include "sandbox/lsm.h"
#include "sandbox/mcs.h"

#include <stdbool.h>
#include <sys/types.h>

/* Texts are "none" in degraded isolation, where nothing is labelled. */
struct labels {
	bool on;
	char vmm[LABEL_MAX], dev[LABEL_MAX], vtpm[LABEL_MAX];  /* processes, and their sockets */
	char image[LABEL_MAX], image_ro[LABEL_MAX];            /* disks */
	char conf[LABEL_MAX], ram[LABEL_MAX];                  /* the plan's copy, guest memory */
	char log[LABEL_MAX], tpmstate[LABEL_MAX];
	char psp[LABEL_MAX];                                   /* the simulated platform */
	char quote[LABEL_MAX];                                 /* the relay of quotes */
	char qgs[LABEL_MAX];                                   /* where the simulated QGS listens */
};

/* Required isolation: SELinux enforcing with MLS, this process in the launcher's domain over all
 * categories, none of our domains permissive, and the walls really there: a policy that
 * lacks one of them is refused. 0 or -EX_HOST. */
int labels_check_host(struct err *e);

/* The last part of it alone, for a launcher with this label: the walls, and no domain permissive. */
int labels_check_walls(const char *launcher, struct err *e);

/* The labels of the VM that holds the pair: user and role are the launcher's own. */
int labels_make(struct labels *l, const struct mcs_pair *pair, struct err *e);

/* With the platform model, after labels_make: the VMM runs in the simulation's domain, which a host
 * has only with the policy module of the simulation. -EX_HOST. */
int labels_simulate(struct labels *l, const struct mcs_pair *pair, struct err *e);

/* The labels of degraded isolation. */
void labels_none(struct labels *l);

/* Reads the label of an open file; out holds LABEL_MAX bytes. 0 or -EX_HOST. */
int label_read(const char *what, int fd, char *out, struct err *e);

/* Labels an open file and reads it back. Without labels (on false) nothing. 0 or -EX_HOST. */
int label_write(const struct labels *l, const char *what, int fd, const char *label,
		struct err *e);

/* A connected pair of UNIX sockets that carry the label of the process that will use them: one
 * with the launcher's level would be replaced by a null device in that process. type as
 * socketpair(2); close-on-exec. */
int label_socketpair(const struct labels *l, const char *label, int type, int pair[2],
		     struct err *e);

/* A listening stream socket at `path` that carries the label of the process that will accept on it;
 * owned by id, for whom alone it is. Close-on-exec, *fd the caller's. -EX_HOST. */
int label_listener(const struct labels *l, const char *label, const char *path, uid_t id, int *fd,
		   struct err *e);

/* The parts of USER:ROLE:TYPE:LEVEL; borrowed from text, which is cut up. False: malformed. */
struct label_parts {
	char *user, *role, *type, *level;
};
bool label_split(char *text, struct label_parts *out);

#endif
