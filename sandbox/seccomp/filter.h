/* From a table to the BPF program the kernel runs, by libseccomp, at build time and in tests. */
#ifndef PAVISE_SANDBOX_SECCOMP_FILTER_H
#define PAVISE_SANDBOX_SECCOMP_FILTER_H

#include "sandbox/seccomp/table.h"

#include <linux/filter.h>

/* At most max instructions into out, their number into *count. x86-64 only: another
 * architecture, x32 and whatever no row allows kill the process. 0 or -EX_INTERNAL. */
int filter_build(const struct table *t, struct sock_filter *out, size_t max, size_t *count,
		 struct err *e);

#endif
