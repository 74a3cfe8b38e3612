/* What the launcher tells the kernel's audit trail of a VM (types 2500 to 2502): whose labels and
 * resources it has, its start, its end.
 *
 * Required isolation fails closed: a kernel that has an audit trail in which nothing can be written
 * starts no VM. A kernel without one asks for nothing; degraded isolation goes on without
 * (VM_MISSING_RECORDS). The socket never blocks; only the kernel itself lets whoever writes wait
 * when its backlog is full (audit_backlog_wait_time). */
#ifndef PAVISE_SANDBOX_RECORDS_H
#define PAVISE_SANDBOX_RECORDS_H

#include "common/err.h"
#include "sandbox/records_text.h"

#include <stdbool.h>
#include <sys/types.h>

struct vm;

struct records {
	struct records_subject subject;
	int fd;       /* -1: none is written */
	bool started; /* its start is on record */
	pid_t pid;    /* of its VMM, from then on */
};

/* As soon as anything of the VM is there that must be undone. -EX_HOST. */
int records_open(struct vm *vm, struct err *e);

/* Labels and resources, once it has them all. -EX_HOST. */
int records_assigned(struct vm *vm, struct err *e);

/* Its start, before its first instruction. -EX_HOST. */
int records_started(struct vm *vm, struct err *e);

/* Its end, or that it was never started, when nothing of it is left: cause is why (EX_OK: as
 * vm->end says), undo what could not be undone, and the record's own failure. Closes. */
void records_ended(struct vm *vm, const struct err *cause, struct err *undo);

/* The path of an open file at this moment, or "inode:MAJOR:MINOR:NUMBER" of one whose path is too
 * long. */
void records_file_name(int fd, char out[RECORDS_PATH_MAX]);

#endif
