/* What a child gives up last: capabilities and, for a foreign program, paths. */
#include "sandbox/jail.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <linux/securebits.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* All bits with their locks: root means nothing, ids change no capability, none is kept. */
#define SECUREBITS (SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP | \
		    SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED | \
		    SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED)

/* Trust nobody's word: reads all back from the kernel. */
static int no_capability_left(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data) != 0)
		return -errno;
	for (int i = 0; i < 2; i++)
		if ((data[i].effective | data[i].permitted | data[i].inheritable) != 0)
			return -EPERM;
	for (int cap = 0; cap <= 63; cap++)
		if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) > 0)
			return -EPERM;
	return 0;
}

int jail_capabilities(void)
{
	/* Bounding set and securebits ask for CAP_SETPCAP: before the permitted set goes. */
	for (int cap = 0; cap <= 63; cap++)
		if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) > 0 &&
		    prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) != 0)
			return -errno;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0 ||
	    prctl(PR_SET_SECUREBITS, SECUREBITS, 0, 0, 0) != 0)
		return -errno;
	/* libcap-ng for the three sets of capset(2) alone: it learns the bounding set from /proc,
	 * which the jail does not have. Nor may it act on the process it knows since before the
	 * clone: libaudit has the launcher use it. */
	capng_setpid(0);
	capng_clear(CAPNG_SELECT_BOTH);
	if (capng_apply(CAPNG_SELECT_CAPS) != 0)
		return -EPERM;
	return no_capability_left();
}

#define ACCESS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define ACCESS_ALL_V1 (ACCESS_READ | LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | \
		       LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE | \
		       LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | \
		       LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK | \
		       LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK | \
		       LANDLOCK_ACCESS_FS_MAKE_SYM)
/* Rights and fields of later kernels than the C library's headers (linux/landlock.h). */
#define ACCESS_REFER (1ull << 13)     /* ABI 2 */
#define ACCESS_TRUNCATE (1ull << 14)  /* ABI 3 */
#define ACCESS_IOCTL_DEV (1ull << 15) /* ABI 5 */
#define NET_TCP (3ull)                /* bind and connect, ABI 4 */
#define SCOPES (3ull)                 /* abstract sockets and signals, ABI 6 */

struct ruleset {
	uint64_t fs, net, scoped;
};

static int add_rule(int ruleset, const char *path, uint64_t access)
{
	struct landlock_path_beneath_attr rule = { .allowed_access = access };

	rule.parent_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (rule.parent_fd < 0)
		return -errno;
	long rc = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	int cause = errno;
	close(rule.parent_fd);
	return rc == 0 ? 0 : -cause;
}

int jail_landlock(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	if (abi < 1)
		return -ENOSYS;
	struct ruleset attr = { .fs = ACCESS_ALL_V1, .net = abi >= 4 ? NET_TCP : 0,
				.scoped = abi >= 6 ? SCOPES : 0 };
	if (abi >= 2)
		attr.fs |= ACCESS_REFER;
	if (abi >= 3)
		attr.fs |= ACCESS_TRUNCATE;
	if (abi >= 5)
		attr.fs |= ACCESS_IOCTL_DEV;
	/* The size says which fields the kernel is to look at. */
	size_t size = abi >= 6 ? sizeof(attr) : abi >= 4 ? offsetof(struct ruleset, scoped)
							 : offsetof(struct ruleset, net);
	int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
	if (ruleset < 0)
		return -errno;
	uint64_t files = ACCESS_READ | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |
			 LANDLOCK_ACCESS_FS_REMOVE_FILE | (attr.fs & ACCESS_TRUNCATE);
	int rc = add_rule(ruleset, "/usr", ACCESS_READ | LANDLOCK_ACCESS_FS_EXECUTE);
	if (rc == 0)
		rc = add_rule(ruleset, "/state", files);
	if (rc == 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) != 0)
		rc = -errno;
	close(ruleset);
	return rc;
}
