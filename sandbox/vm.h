/* One VM under the launcher: what it holds, and the phases of its life.
 *
 *   vm_prepare  everything but processes; fails without a trace
 *   vm_start    vTPM, devices, VMM
 *   vm_supervise  READY, SEAL, SEALED, GO; then until the guest ends or somebody asks
 *   vm_teardown   stop, kill, wait, restore; always
 */
#ifndef PAVISE_SANDBOX_VM_H
#define PAVISE_SANDBOX_VM_H

#include "common/err.h"
#include "sandbox/cgroup.h"
#include "sandbox/control.h"
#include "sandbox/disk.h"
#include "sandbox/labels.h"
#include "sandbox/manifest.h"
#include "sandbox/memfds.h"
#include "sandbox/options.h"
#include "sandbox/records.h"
#include "sandbox/rundir.h"
#include "sandbox/timings.h"
#include "sandbox/watch.h"

#include <stdbool.h>
#include <sys/types.h>

#define VM_DEV_MAX (VM_DISK_MAX + 1)       /* disks and vsock */
#define VM_CHILD_MAX (VM_DEV_MAX + 4)      /* vTPM, VMM, simulated platform, quotes */
#define VM_VSOCK_PORT 1024u
#define VM_GUEST_CID 3u                    /* the first a guest may have (virtio 1.2 5.10.4) */

enum child_state { CHILD_RUNS, CHILD_READY, CHILD_SEALED };

struct child {
	char name[16];           /* "vmm", "dev-blk0", "dev-vsock", "vtpm", "psp", "tdx", "quote":
				  * also its log's */
	bool is_vmm;
	enum child_state state;  /* by its own records */
	pid_t pid;               /* -1 once reaped */
	int pidfd;
	int control;             /* our end of the record channel; -1: a foreign program */
	int status;              /* of waitpid once reaped */
	uid_t id;                /* and what it was started with (sandbox/child.h): */
	const char *label;       /* one of struct labels */
	uint64_t file_limit, fd_limit, thread_limit;
	struct limits cgroup;    /* of its cgroup; zero: it has none */
};

/* Defences that a VM of degraded isolation runs without; required isolation has them all. */
enum vm_missing {
	VM_MISSING_LABELS = 1,  /* SELinux */
	VM_MISSING_LIMITS = 2,  /* cgroup v2 */
	VM_MISSING_RECORDS = 4, /* the kernel's audit trail is there, but not to be written */
};

enum vm_phase { VM_STARTING, VM_SEALING, VM_RUNNING, VM_ENDED };

struct vm {
	const struct options *opt;
	struct labels labels;
	struct rundir run;
	struct cgroup cgroup;
	struct err unlimited;     /* why VM_MISSING_LIMITS */
	struct plan_copy plan;
	struct disk disk[VM_DISK_MAX];
	struct control control;
	struct timings timings;
	struct records records;
	struct watch watch;       /* over SELinux: required isolation */
	bool isolation_lost;      /* it saw that end: no time for an end in order */
	struct manifest manifest; /* what should be: grows with each child */
	struct child child[VM_CHILD_MAX];
	unsigned child_count;
	int kvm, ram, libexec, signals;
	int sev;                  /* /dev/sev, for SEV-SNP on hardware */
	int psp;                  /* the VMM's end to the simulated platform */
	int quote;                /* the VMM's end to pavise-quote */
	int id_block, id_auth;    /* sealed copies of what the guest's owner signed; -1: none */
	int certs;                /* that of the certificate table; -1: none */
	int agent_channel;        /* our end, for `pavise attest` */
	int vtpm_control;         /* the launcher's alone */
	int vtpm_data;            /* for the VMM, once the vTPM has started up */
	int vhost[VM_DEV_MAX];    /* the VMM's ends, in PCI slot order */
	unsigned vhost_count;
	enum vm_phase phase;
	unsigned missing;         /* bits of enum vm_missing */
	bool asked_to_stop;
	uint32_t end, end_detail; /* enum vm_end and b of RECORD_EXIT; 0: none came */
};

int vm_prepare(struct vm *vm, const struct options *o, struct err *e);
int vm_start(struct vm *vm, struct err *e);
int vm_supervise(struct vm *vm, struct err *e);
int vm_teardown(struct vm *vm, struct err *e);

/* Is the child gone? Reaps it then; status is its waitpid status. */
bool child_reap(struct child *c);

/* "vmm: ended with status 5: LAST LINE OF ITS LOG" into *e. */
int vm_child_died(struct vm *vm, const struct child *c, struct err *e);

/* What is said about the end, and the exit status. out holds size bytes. */
int vm_end_text(const struct vm *vm, char *out, size_t size);

#endif
