/* swtpm's own list of system calls, as the kernel has it (ptrace(2), PTRACE_SECCOMP_GET_FILTER):
 * what its stand-in is held by. */
#include "tests/escape/payload.h"

#include <linux/filter.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#define FILTER_MAX 4096

int print_filter(const char *pid)
{
	static struct sock_filter code[FILTER_MAX];
	const pid_t traced = (pid_t)strtol(pid, NULL, 10);
	int status;

	if (ptrace(PTRACE_ATTACH, traced, NULL, NULL) != 0 ||
	    waitpid(traced, &status, __WALL) != traced) {
		perror("attach");
		return EX_HOST;
	}
	long count = ptrace(PTRACE_SECCOMP_GET_FILTER, traced, 0, NULL);
	if (count <= 0 || count > FILTER_MAX ||
	    ptrace(PTRACE_SECCOMP_GET_FILTER, traced, 0, code) != count) {
		perror("filter");
		return EX_HOST;
	}
	for (long i = 0; i < count; i++)
		printf("%04x%02x%02x%08x", code[i].code, code[i].jt, code[i].jf, code[i].k);
	printf("\n");
	ptrace(PTRACE_DETACH, traced, NULL, NULL);
	return 0;
}
