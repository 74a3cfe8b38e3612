/* Sealing: what a child of the launcher does to itself, from inside, before it meets what others
 * send and, once more, before it meets guest data. Order and reasons: docs/architecture.md "Sealing". Every function fails closed. */
#ifndef PAVISE_COMMON_SEAL_H
#define PAVISE_COMMON_SEAL_H

#include "common/err.h"

#include <stddef.h>
#include <stdint.h>

/* The process's own label must be `label` (lsm_get_self_attr, no /proc needed); "none" is for
 * degraded isolation and accepts a kernel without SELinux. First thing in main. */
int seal_check_label(const char *label, struct err *e);

/* fd must be open and no stand-in: SELinux replaces a descriptor the domain may not use by a
 * null device. want is S_IFREG, S_IFSOCK, S_IFCHR or S_IFIFO; a null device (1:3) is refused
 * always. */
int seal_check_fd(const char *what, int fd, unsigned want, struct err *e);

/* PR_SET_PDEATHSIG (cleared by the label transition), PR_SET_DUMPABLE 0, PR_SET_MDWE where the
 * kernel has it, no_new_privs, no speculation where the kernel leaves it to the process, no
 * capability in any set (checked, not set). All of it is inherited by threads made later. */
int seal_process(struct err *e);

/* Landlock with every right of the kernel's ABI handled and no rule: nothing new can be opened,
 * bound, connected. Needs ABI 1 at least. */
int seal_landlock(struct err *e);

/* Filters on every thread of a sealed VMM or device: that of its set-up and the narrower one. What
 * serves as it was set up has the first alone. The launcher and the audit count them. */
#define SEAL_FILTERS 2

struct sock_filter;
/* Installs a filter compiled from sandbox/seccomp/NAME.table at build time: on this thread, or on
 * every thread of the process (TSYNC; one that cannot follow is an error). A second one is stacked
 * on the first, which has to allow seccomp(2): a call has to pass both. Default action of every
 * filter: kill the process. */
int seal_seccomp(const struct sock_filter *filter, size_t count, int all_threads, struct err *e);

#endif
