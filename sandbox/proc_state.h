/* What the kernel says in /proc of a process and its threads: read by the launcher before the guest
 * runs, and by the audit of a running VM. The process has no part in it but its threads' names,
 * which it may choose, and when its threads begin and end. */
#ifndef PAVISE_SANDBOX_PROC_STATE_H
#define PAVISE_SANDBOX_PROC_STATE_H

#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PROC_STATUS_MAX 16384u /* bytes of a status file; 4096 processors make it 6000 */
#define PROC_TASKS_MAX 4096u   /* threads of one process: many times what its limit allows */

/* /proc/PID/task/TID/status (proc(5)). */
struct proc_status {
	uint32_t tgid, pid;
	uint32_t tracer;         /* who traces it; 0: nobody */
	uint32_t uid[4], gid[4]; /* real, effective, saved, of the file system */
	uint32_t groups;         /* supplementary ones */
	uint32_t threads;        /* of the process */
	uint64_t inheritable, permitted, effective, bounding, ambient; /* capabilities */
	uint32_t no_new_privs, seccomp, seccomp_filters;
};

/* Every field has to be there once, in the kernel's order: whatever a thread is called, no line of
 * its making counts. -EX_MALFORMED. */
int proc_status_parse(const char *text, size_t size, struct proc_status *out, struct err *e);

/* A file below dir, whole, with a NUL behind it; out holds size bytes. Its length, or a negative
 * errno: -EFBIG when there is more. */
ssize_t proc_read(int dir, const char *file, char *out, size_t size);

/* The folder of a process below `proc`, when it still is the one that began at `start` (procid.h);
 * all that is read through it is that process's, or gone. A descriptor, or -EX_HOST. */
int proc_open(int proc, pid_t pid, uint64_t start, struct err *e);

/* One thread: its folder, borrowed, and its number. 0 or negative to stop. */
typedef int proc_task_fn(void *context, int task, pid_t tid, struct err *e);

/* Calls back for each thread of the process. One that ends meanwhile is passed over; one that
 * begins has what its maker had. -EX_HOST when they cannot be listed. */
int proc_each_task(int process, proc_task_fn *fn, void *context, struct err *e);

/* The inode number of one of its namespaces ("user", "pid"). -EX_HOST. */
int proc_namespace(int process, const char *kind, uint64_t *out, struct err *e);

/* Its cgroup, as the reader's cgroup namespace has it: of the version 2 hierarchy; out holds size
 * bytes. False: none, or too long. */
bool proc_cgroup(int process, char *out, size_t size);

/* The SELinux label of a thread; out holds size bytes. 0 or a negative errno. */
int proc_label(int task, char *out, size_t size);

#endif
