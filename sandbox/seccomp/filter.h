/* From a table to the BPF program the kernel runs, by libseccomp, at build time and in tests. */
#ifndef PAVISE_SANDBOX_SECCOMP_FILTER_H
#define PAVISE_SANDBOX_SECCOMP_FILTER_H

#include "sandbox/seccomp/table.h"

#include <linux/filter.h>

/* What becomes of whatever no row allows, of another architecture, and of x32. */
enum filter_otherwise {
	FILTER_KILL,   /* the process dies: what programs install */
	FILTER_REFUSE, /* EPERM: a test goes through many refused calls in one process */
};

/* At most max instructions into out, their number into *count. x86-64 only.
 * 0 or -EX_INTERNAL. */
int filter_build(const struct table *t, enum filter_otherwise otherwise, struct sock_filter *out,
		 size_t max, size_t *count, struct err *e);

#endif
