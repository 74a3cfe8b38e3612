/* What should be, of one running VM: written by its launcher once every process is sealed and
 * before the guest runs (RUNDIR/NAME/manifest.json, docs/PROTOCOL.manifest), and compared by
 * `pavise audit vm` with what is. */
#ifndef PAVISE_SANDBOX_MANIFEST_H
#define PAVISE_SANDBOX_MANIFEST_H

#include "common/err.h"
#include "sandbox/child.h"
#include "sandbox/fd_facts.h"
#include "sandbox/mcs.h"
#include "sandbox/names.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define MANIFEST_FILE "manifest.json"
#define MANIFEST_SIZE_MAX (512u << 10) /* bytes */
#define MANIFEST_PROCESSES 16
#define MANIFEST_MADE 8
#define MANIFEST_LIMITS 8
#define MANIFEST_ROLE 16
#define MANIFEST_NAMESPACES 7

/* In this order: user, pid, mnt, net, ipc, uts, cgroup. */
extern const char *const manifest_namespace[MANIFEST_NAMESPACES];

/* The limits of a process that its manifest names, in this order: bytes of a file, descriptors,
 * processes of its user, bytes of a core, of locked memory, of message queues. */
enum { MANIFEST_FSIZE, MANIFEST_NOFILE, MANIFEST_NPROC, MANIFEST_CORE, MANIFEST_MEMLOCK,
       MANIFEST_MSGQUEUE, MANIFEST_RLIMITS };
extern const char *const manifest_rlimit[MANIFEST_RLIMITS];

/* enum vm_missing (vm.h) in words, one a bit from the lowest. */
#define MANIFEST_MISSING 3
extern const char *const manifest_missing[MANIFEST_MISSING];

struct manifest_fd {
	unsigned number;
	struct fd_facts is;
};

/* Descriptors that a process makes itself or is sent. */
struct manifest_made {
	char kind[FD_KIND_MAX];
	unsigned most;
	char file[FILE_ID_MAX]; /* only of this one; "": any */
};

/* A limit of a cgroup: a file of it and what stands there. */
struct manifest_limit {
	char file[24], value[32];
};

struct manifest_cgroup {
	char path[160]; /* as in /proc/PID/cgroup, behind "0::"; "": none */
	struct manifest_limit limit[MANIFEST_LIMITS];
	unsigned limit_count;
};

struct manifest_process {
	char role[MANIFEST_ROLE];
	pid_t pid;
	uint64_t start;             /* procid.h */
	uint32_t uid, gid;
	char label[LABEL_MAX];      /* "": none */
	char program[FILE_ID_MAX];
	bool foreign;               /* not a program of ours: libraries, files by path, dumpable */
	unsigned filters;           /* seccomp filters of each thread, at least */
	uint64_t rlimit[MANIFEST_RLIMITS]; /* at most */
	struct manifest_fd fd[CHILD_FD_MAX + 3];
	unsigned fd_count;
	struct manifest_made made[MANIFEST_MADE];
	unsigned made_count;
	struct manifest_cgroup cgroup;
};

struct manifest {
	char name[NAME_MAX_LENGTH + 1];
	char pair[MCS_TEXT];
	bool required;              /* isolation */
	unsigned missing;           /* enum vm_missing, vm.h */
	pid_t launcher;
	uint64_t launcher_start;
	uint64_t host_namespace[MANIFEST_NAMESPACES]; /* the launcher's own: inode numbers */
	struct manifest_cgroup cgroup; /* of the VM */
	struct manifest_process process[MANIFEST_PROCESSES];
	unsigned count;
};

/* Notes one more kind of descriptor; one too many is dropped, and then found by the audit. */
void manifest_makes(struct manifest_process *p, const char *kind, unsigned most, const char *file);
void manifest_limits(struct manifest_cgroup *c, const char *file, const char *value);

/* Writes it as a new file, mode 0600, below dir. -EX_HOST. */
int manifest_write(const struct manifest *m, int dir, struct err *e);

/* Parses a manifest's text; strictly, since a wrong one hides what it should show.
 * -EX_MALFORMED. */
int manifest_parse(const char *text, size_t size, struct manifest *out, struct err *e);

#endif
