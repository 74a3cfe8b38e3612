/* One child of a VM being ordered: its specification, and the room its argument texts live in. */
#ifndef PAVISE_SANDBOX_ORDER_H
#define PAVISE_SANDBOX_ORDER_H

#include "common/err.h"
#include "sandbox/cgroup_limits.h"
#include "sandbox/child.h"
#include "sandbox/vm.h"

#include <stdint.h>
#include <sys/types.h>

#define ORDER_LOG_LIMIT (4ull << 20) /* bytes of one log; writes beyond fail */

/* Whose user id: each child of each VM has its own. */
enum order_role {
	ORDER_VMM = 0,
	ORDER_VTPM = 1,
	ORDER_VSOCK = 2,
	ORDER_DISK = 3, /* and up, one a disk */
	ORDER_SIM = ORDER_DISK + VM_DISK_MAX,
	ORDER_QUOTE,
	ORDER_ROLES,
};

struct order {
	struct child_spec spec;
	enum limits_role limits; /* a helper, until said otherwise */
	unsigned argc;
	char text[CHILD_ARG_MAX][320]; /* the longest is a label */
};

/* A child with a label, a name borrowed for the time of the order, and usual limits. */
void order_init(struct order *o, const struct vm *vm, const char *name, const char *label,
		unsigned role);

/* The user and group id of that child of this VM. */
uid_t order_id(const struct vm *vm, unsigned role);

/* Gives the child the limits of that role, its threads too. */
void order_limits(struct order *o, const struct vm *vm, enum limits_role role);

void order_arg(struct order *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Passes fd; returns the number the child will know it by. */
int order_fd(struct order *o, int fd);

/* Makes NAME.log, the child's standard output and error. */
int order_log(struct vm *vm, struct order *o, struct err *e);
/* As order_log, a log of its own name. */
int order_open_log(struct vm *vm, const char *name, int *fd, struct err *e);

/* Opens the program, starts it, enters it into the table of children; closes the log. `control` is
 * our end of its records (-1: none) and is the child table's from here on, also on error. */
int order_start(struct vm *vm, struct order *o, const char *program, int control, struct err *e);

/* Closes *fd if it is open. */
void order_close(int *fd);

#endif
