/* The system call filters of the VMM's threads. A file of its own because the platform model,
 * whose threads do more, brings its own. Source: sandbox/seccomp/vmm-*.table. */
#ifndef PAVISE_VMM_FILTERS_H
#define PAVISE_VMM_FILTERS_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>

struct filter {
	const struct sock_filter *code;
	size_t count;
};

struct filter filter_of_set_up(void);
struct filter filter_of_main(void);
struct filter filter_of_vcpus(bool confidential);

#endif
