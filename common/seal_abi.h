/* Kernel interfaces newer than the oldest headers pavise builds with (Linux 6.1), each with the
 * version that brought it. Values are ABI: they never change. A name the headers do have is left
 * to them. Used by common/seal.c, and by tests that do a part of what it does. */
#ifndef PAVISE_COMMON_SEAL_ABI_H
#define PAVISE_COMMON_SEAL_ABI_H

#include <linux/landlock.h>
#include <linux/prctl.h>
#include <stdint.h>

/* Linux 6.3: no mapping becomes executable that was not made so. */
#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#define PR_MDWE_REFUSE_EXEC_GAIN 1
#endif

/* Linux 6.8: security labels without /proc (Documentation/userspace-api/lsm.rst). */
#ifndef SYS_lsm_get_self_attr
#define SYS_lsm_get_self_attr 459
#endif
#define SEAL_LSM_ATTR_CURRENT 100
#define SEAL_LSM_ID_SELINUX 101
#define SEAL_LSM_FLAG_SINGLE 1

/* struct lsm_ctx: its fixed part, then ctx_len bytes of label; len covers both and padding. */
struct seal_lsm_ctx {
	uint64_t id;
	uint64_t flags;
	uint64_t len;
	uint64_t ctx_len;
	char ctx[256];
};

/* Landlock (Documentation/userspace-api/landlock.rst), by ABI version:
 * 1 Linux 5.13, 2 5.19 (refer), 3 6.2 (truncate), 4 6.7 (TCP), 5 6.10 (ioctl on devices),
 * 6 6.12 (scopes). 7 and 8 add flags, no right. */
#define SEAL_LANDLOCK_FS_ABI1 ((1ull << 13) - 1) /* EXECUTE .. MAKE_SYM */
#define SEAL_LANDLOCK_FS_REFER (1ull << 13)
#define SEAL_LANDLOCK_FS_TRUNCATE (1ull << 14)
#define SEAL_LANDLOCK_FS_IOCTL_DEV (1ull << 15)
#define SEAL_LANDLOCK_NET_BIND_TCP (1ull << 0)
#define SEAL_LANDLOCK_NET_CONNECT_TCP (1ull << 1)
#define SEAL_LANDLOCK_SCOPE_ABSTRACT_UNIX (1ull << 0)
#define SEAL_LANDLOCK_SCOPE_SIGNAL (1ull << 1)

/* struct landlock_ruleset_attr as of ABI 6. An older kernel takes the longer form as long as the
 * members it does not know are zero (copy_struct_from_user). */
struct seal_landlock_ruleset {
	uint64_t handled_access_fs;
	uint64_t handled_access_net;
	uint64_t scoped;
};

#endif
