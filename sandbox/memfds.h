/* The memory files of a VM: its plan, what its owner signed, its RAM. */
#ifndef PAVISE_SANDBOX_MEMFDS_H
#define PAVISE_SANDBOX_MEMFDS_H

#include "common/err.h"
#include "common/plan.h"
#include "sandbox/labels.h"

#include <stddef.h>
#include <stdint.h>

/* One copy of the plan that nobody can change any more, parsed once. What is parsed here, what
 * is measured into the vTPM and what the VMM loads are the same bytes. */
struct plan_copy {
	int fd;        /* fully sealed, read-only; -1: none */
	void *data;    /* its mapping, read-only */
	size_t size;   /* bytes */
	struct plan plan; /* borrows from data */
};

/* Copies the plan file at descriptor `from`, seals, maps and parses the copy. */
int plan_copy_make(int from, struct plan_copy *out, struct err *e);
void plan_copy_free(struct plan_copy *p);

/* A sealed, read-only copy of the file at descriptor `from`, which has to hold `least` to `most`
 * bytes. `what` names it in errors. -EX_USAGE_ERROR, -EX_MALFORMED, -EX_HOST. */
int small_copy_make(const char *what, int from, size_t least, size_t most, int *fd, struct err *e);

/* Guest RAM of `size` bytes whose size cannot change: a shrunk file would fault its users. */
int ram_make(uint64_t size, int *fd, struct err *e);

#endif
