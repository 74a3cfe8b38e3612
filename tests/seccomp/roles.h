/* The sealed roles: their filters as built, and what each really has to do. */
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
	const int *may; /* those of `forbidden` that it may all the same */
	size_t may_count;
};

#define ROLE_COUNT 12
extern const struct role roles[ROLE_COUNT];

/* What no sealed process may ever do, whatever the arguments; but for fallocate, which vCPU threads
 * of SEV-SNP guests may use with the one mode that frees pages. */
extern const int forbidden[];
extern const size_t forbidden_count;

#endif
