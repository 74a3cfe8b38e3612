/* What a filter, or the two of a thread, decide about a system call: the programs' own bytes in the
 * simulator (bpf.h). An answer that no table can give fails the test that asks. */
#ifndef PAVISE_TESTS_SECCOMP_DECIDE_H
#define PAVISE_TESTS_SECCOMP_DECIDE_H

#include "tests/seccomp/roles.h"

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum table_answer decide(const struct sock_filter *filter, size_t count, uint32_t arch,
			 uint32_t number, const uint64_t args[TABLE_ARGS]);

/* On x86-64. */
enum table_answer role_decides(const struct role *r, uint32_t number,
			       const uint64_t args[TABLE_ARGS]);
bool role_allows(const struct role *r, uint32_t number, const uint64_t args[TABLE_ARGS]);
enum table_answer thread_decides(const struct thread *t, uint32_t arch, uint32_t number,
				 const uint64_t args[TABLE_ARGS]);

/* How many of the calls that r needs, or that a role on top of it needs, the filter does not answer
 * as they are needed; 0: all are. */
size_t unmet_needs(const struct role *r, const struct sock_filter *filter, size_t count);

#endif
