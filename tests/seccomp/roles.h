/* The roles: their filters as built, and what each really has to do. */
#ifndef PAVISE_TESTS_SECCOMP_ROLES_H
#define PAVISE_TESTS_SECCOMP_ROLES_H

#include "sandbox/seccomp/table.h"

#include <linux/filter.h>

struct call {
	int number;
	uint64_t args[TABLE_ARGS];
};

struct role {
	const char *name;
	const char *table; /* path from the top folder */
	const struct sock_filter *filter;
	size_t filter_count;
	const struct sock_filter *batch; /* the same, but refusing where the filter kills */
	size_t batch_count;
	const struct call *needs;
	size_t needs_count;
	const struct call *shared; /* needs of more than one role */
	size_t shared_count;
	const int *may; /* those of `forbidden` that it may all the same */
	size_t may_count;
};

enum {
	VMM_SETUP, VMM_SIM_SETUP, DEV_SETUP, /* set-up, the others on top or alone */
	VMM_MAIN, VMM_VCPU, VMM_CONFIDENTIAL_VCPU, VMM_SIM_VCPU, DEV_BLK, DEV_VSOCK,
	PSP_SIM, TDX_SIM, QUOTE_UNIX, QUOTE_VSOCK, ATTEST_FRONT, ATTEST_BROKER,
	ROLE_COUNT
};
extern const struct role roles[ROLE_COUNT];

/* A thread with two filters: that of set-up, and on top the one of its role. */
struct thread {
	const char *name;
	const struct role *first, *second;
};
#define THREAD_COUNT 8
extern const struct thread threads[THREAD_COUNT];

/* What no process may ever do under any of the filters, whatever the arguments, but for what
 * `may` names: under conditions that have tests of their own. */
extern const int forbidden[];
extern const size_t forbidden_count;

#endif
