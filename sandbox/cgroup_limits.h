/* What a VM's processes may take of memory and of processes: arithmetic only.
 *
 * A page of guest memory is charged to the process that touches it first, for as long as it is
 * there. In a plain guest that may be any process that maps guest memory, so each of them may be
 * charged all of it. A confidential guest's private pages are the VMM's (guest_memfd); a back end
 * has to do with what the guest shares, its bounce buffers above all. What it touches beside them
 * is a hole of the shared memory: backed for nothing, by a process that means harm. So it gets a
 * share: twice what Linux sets aside for bounce buffers by default (6 % of memory, 64 MiB at least
 * and 1 GiB at most: mem_encrypt_setup_arch(), arch/x86/mm/mem_encrypt.c). */
#ifndef PAVISE_SANDBOX_CGROUP_LIMITS_H
#define PAVISE_SANDBOX_CGROUP_LIMITS_H

#include "common/err.h"

#include <stdbool.h>
#include <stdint.h>

/* What a process has to do with guest memory. */
enum limits_role {
	LIMITS_HELPER,   /* nothing: vTPM, simulated platform, relay of quotes */
	LIMITS_BACK_END, /* it maps what is shared: devices */
	LIMITS_VMM,
};

/* A VM, as far as its limits depend on it. */
struct limits_guest {
	uint64_t memory;    /* bytes */
	uint32_t cpus;
	bool confidential;  /* its private pages have a backing of their own */
	bool simulated;     /* by the platform model, which copies them and keeps both */
	unsigned back_ends, helpers;
};

struct limits {
	uint64_t memory; /* bytes, a multiple of the page size: the kernel rounds down */
	uint64_t tasks;  /* processes and threads */
};

/* Threads that a process of this role has at most. */
uint64_t limits_threads(const struct limits_guest *g, enum limits_role role);

/* Of one process, and of all processes of the VM together. -EX_USAGE_ERROR: beyond 64 bits. */
int limits_of_child(const struct limits_guest *g, enum limits_role role, struct limits *out,
		    struct err *e);
int limits_of_vm(const struct limits_guest *g, struct limits *out, struct err *e);

#endif
