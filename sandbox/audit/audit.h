/* pavise audit vm, pavise audit host: is what runs what should run? Answered from /proc and /sys
 * alone, without a word to the processes in question. A question that cannot be answered is as bad
 * as a wrong answer. */
#ifndef PAVISE_SANDBOX_AUDIT_AUDIT_H
#define PAVISE_SANDBOX_AUDIT_AUDIT_H

#include "common/audit_report.h"
#include "common/err.h"
#include "sandbox/manifest.h"

#include <stdbool.h>
#include <stddef.h>

/* Questions about a VM; their texts are in questions.c. */
enum vm_question {
	Q_MANIFEST, Q_DEFENCES, Q_PROCESSES, Q_STRANGERS, Q_PROGRAM, Q_LABEL, Q_PAIR, Q_ENFORCING,
	Q_PERMISSIVE, Q_FILTERS, Q_CAPABILITIES, Q_NO_NEW_PRIVS, Q_TRACED, Q_DUMPABLE, Q_IDS,
	Q_NAMESPACES, Q_ROOT, Q_DESCRIPTORS, Q_OBJECT_LABELS, Q_WRITE_EXECUTE, Q_EXECUTABLE,
	Q_SHARED_FILES, Q_RLIMITS, Q_CGROUP, Q_LANDLOCK, VM_QUESTIONS,
};
extern const struct question vm_question[VM_QUESTIONS];

/* A VM of the run directory. */
struct subject {
	char name[NAME_MAX_LENGTH + 1];
	struct manifest m;
	struct err unreadable;    /* status not EX_OK: there is no manifest to compare with */
	/* As found, for comparison with all others; 0: could not be read. */
	uint64_t space[MANIFEST_PROCESSES][MANIFEST_NAMESPACES];
};

struct audit {
	int proc, sys, dev;       /* /proc, /sys and /dev, or what stands in for them */
	bool live;                /* they are this machine's */
	struct subject *subject;  /* all VMs of the run directory */
	size_t count;
};

/* Every VM of the run directory, with its manifest; audit_free gives them back. -EX_HOST. */
int audit_load(struct audit *a, const char *run_dir, struct err *e);
void audit_free(struct audit *a);

/* All questions about one of them. */
int audit_vm(const struct audit *a, const struct subject *s, struct report *r, struct err *e);

/* Who runs as a VM's process, and is in no manifest; about no VM in particular. */
int audit_all(const struct audit *a, struct report *r, struct err *e);

/* All questions about the host. */
int audit_host(const struct audit *a, struct report *r, struct err *e);

/* ---- parts of audit_vm: each about one process whose folder is open ------------------------- */

int audit_tasks(const struct manifest_process *p, int process, struct report *r, struct err *e);
int audit_descriptors(const struct subject *s, const struct manifest_process *p, int process,
		      struct report *r, struct err *e);
int audit_memory(const struct manifest_process *p, int process, struct report *r, struct err *e);
int audit_limits(const struct audit *a, const struct subject *s, const struct manifest_process *p,
		 int process, struct report *r, struct err *e);
int audit_jail(const struct manifest_process *p, int process, struct report *r, struct err *e);

/* SELinux: enforcing, and not permissive for the domains of this VM. */
int audit_selinux(const struct audit *a, const struct subject *s, struct report *r, struct err *e);

/* Our domains are in the policy, and none is permissive. */
int audit_domains(const struct audit *a, struct report *r, struct err *e);

/* Processes of this VM's level or user ids that its manifest does not name; of any VM's, and no
 * manifest at all, when s is NULL. */
int audit_strangers(const struct audit *a, const struct subject *s, const struct question *q,
		    struct report *r, struct err *e);

/* "1" or another first word of a small file; "" when it cannot be read. out holds size bytes. */
void audit_word(int dir, const char *file, char *out, size_t size);

#endif
