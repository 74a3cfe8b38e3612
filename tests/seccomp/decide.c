#include "tests/seccomp/decide.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/seccomp/bpf.h"

#include <errno.h>
#include <linux/audit.h>
#include <string.h>
#include <sys/syscall.h>

enum table_answer decide(const struct sock_filter *filter, size_t count, uint32_t arch,
			 uint32_t number, const uint64_t args[TABLE_ARGS])
{
	struct seccomp_data d = { .arch = arch, .nr = (int)number,
				  .instruction_pointer = 0x401000 };
	uint32_t action;

	memcpy(d.args, args, sizeof(d.args));
	assert_true(bpf_run(filter, count, &d, &action));
	if (action == SECCOMP_RET_ALLOW)
		return TABLE_ALLOW;
	if (action == (SECCOMP_RET_ERRNO | ENOSYS))
		return TABLE_ENOSYS;
	assert_int_equal(action, SECCOMP_RET_KILL_PROCESS);
	return TABLE_REFUSE;
}

enum table_answer role_decides(const struct role *r, uint32_t number,
			       const uint64_t args[TABLE_ARGS])
{
	return decide(r->filter, r->filter_count, AUDIT_ARCH_X86_64, number, args);
}

bool role_allows(const struct role *r, uint32_t number, const uint64_t args[TABLE_ARGS])
{
	return role_decides(r, number, args) == TABLE_ALLOW;
}

/* The kernel runs every filter of a thread, whatever an earlier one said, and does the strictest of
 * what they return (seccomp(2), "SECCOMP_RET"): kill before an error before allow. */
enum table_answer thread_decides(const struct thread *t, uint32_t arch, uint32_t number,
				 const uint64_t args[TABLE_ARGS])
{
	enum table_answer first = decide(t->first->filter, t->first->filter_count, arch, number,
					 args);
	enum table_answer second = decide(t->second->filter, t->second->filter_count, arch, number,
					  args);

	if (first == TABLE_REFUSE || second == TABLE_REFUSE)
		return TABLE_REFUSE;
	return first == TABLE_ENOSYS || second == TABLE_ENOSYS ? TABLE_ENOSYS : TABLE_ALLOW;
}

static size_t unmet(const struct call *needs, size_t needs_count,
		    const struct sock_filter *filter, size_t count)
{
	size_t n = 0;

	for (size_t i = 0; i < needs_count; i++) {
		/* Not to be made: its flags lie behind a pointer. */
		enum table_answer want = needs[i].number == SYS_clone3 ? TABLE_ENOSYS : TABLE_ALLOW;

		n += decide(filter, count, AUDIT_ARCH_X86_64, (uint32_t)needs[i].number,
			    needs[i].args) != want;
	}
	return n;
}

size_t unmet_needs(const struct role *r, const struct sock_filter *filter, size_t count)
{
	size_t n = unmet(r->needs, r->needs_count, filter, count) +
		   unmet(r->shared, r->shared_count, filter, count);

	for (size_t i = 0; i < THREAD_COUNT; i++)
		if (threads[i].first == r)
			n += unmet(threads[i].second->needs, threads[i].second->needs_count,
				   filter, count);
	return n;
}
