/* The LSM system calls (Linux 6.8, lsm_set_self_attr(2)): they label the calling thread without
 * /proc, which the jail of a child does not have, so libselinux's setexeccon would fail there. */
#ifndef PAVISE_SANDBOX_LSM_H
#define PAVISE_SANDBOX_LSM_H

#include <stddef.h>

/* linux/lsm.h; the C library's headers are older than the calls. */
enum lsm_attr { LSM_CURRENT = 100, LSM_EXEC = 101, LSM_FSCREATE = 102, LSM_SOCKCREATE = 105 };

#define LABEL_MAX 256 /* bytes of a security context, final NUL included */

/* SELinux's value of an attribute of this thread; out holds LABEL_MAX bytes, "" when unset.
 * 0 or a negative errno (-EOPNOTSUPP: no SELinux on this kernel). */
int lsm_get(enum lsm_attr attr, char *out);

/* Sets it ("" unsets it) and reads it back: 0, or a negative errno; -EPROTO when the value read
 * back is another. */
int lsm_set(enum lsm_attr attr, const char *label);

#endif
