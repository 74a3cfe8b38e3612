#include "common/seal.h"
#include "common/seal_abi.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define CAP_NUMBERS 64 /* bits of the kernel's capability sets */

/* ---- label --------------------------------------------------------------------------------- */

/* Reads the SELinux label of this process as a string. The jail has no /proc: libselinux's
 * getcon() would fail there, the system call does not. */
static int own_label(struct seal_lsm_ctx *c, struct err *e)
{
	uint32_t size = sizeof(*c);
	long n;

	*c = (struct seal_lsm_ctx){ .id = SEAL_LSM_ID_SELINUX };
	n = syscall(SYS_lsm_get_self_attr, SEAL_LSM_ATTR_CURRENT, c, &size, SEAL_LSM_FLAG_SINGLE);
	if (n < 0 && errno == ENOSYS)
		return err_set(e, EX_HOST,
			       "label: this kernel cannot tell a process its own label: "
			       "Linux 6.8 or later is needed");
	if (n < 0 && errno == EOPNOTSUPP)
		return err_set(e, EX_HOST, "label: SELinux is not active on this host");
	if (n < 0)
		return err_errno(e, EX_HOST, errno, "label: cannot be read");
	if (n != 1 || c->id != SEAL_LSM_ID_SELINUX || c->ctx_len == 0 ||
	    c->ctx_len > sizeof(c->ctx))
		return err_set(e, EX_HOST, "label: the kernel's answer is not one SELinux label");
	/* Some versions count the NUL byte, some do not. */
	if (c->ctx_len == sizeof(c->ctx) && c->ctx[sizeof(c->ctx) - 1] != '\0')
		return err_set(e, EX_HOST, "label: too long");
	if (c->ctx_len < sizeof(c->ctx))
		c->ctx[c->ctx_len] = '\0';
	return 0;
}

int seal_check_label(const char *label, struct err *e)
{
	struct seal_lsm_ctx c;
	int rc;

	if (strcmp(label, "none") == 0)
		return 0;
	rc = own_label(&c, e);
	if (rc < 0)
		return rc;
	if (strcmp(c.ctx, label) != 0)
		return err_set(e, EX_HOST,
			       "label: process runs as %s, the launcher expected %s: "
			       "is the policy module loaded and the program labelled?",
			       c.ctx, label);
	return 0;
}

/* ---- descriptors --------------------------------------------------------------------------- */

static const char *type_name(unsigned type)
{
	switch (type & S_IFMT) {
	case S_IFREG:
		return "a regular file";
	case S_IFSOCK:
		return "a socket";
	case S_IFCHR:
		return "a character device";
	case S_IFIFO:
		return "a pipe";
	default:
		return "something else";
	}
}

int seal_check_fd(const char *what, int fd, unsigned want, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return err_errno(e, EX_HOST, errno, "%s: descriptor %d", what, fd);
	/* selinux flush_unauthorized_files(): a refused descriptor becomes a null device, which
	 * reads as end of file and swallows what is written. */
	if (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3))
		return err_set(e, EX_HOST, "%s: descriptor %d is a null device: SELinux took the "
			       "real one away; look for AVC denials of class fd", what, fd);
	if ((st.st_mode & S_IFMT) != (want & S_IFMT))
		return err_set(e, EX_HOST, "%s: descriptor %d is %s, not %s", what, fd,
			       type_name(st.st_mode), type_name(want));
	return 0;
}

/* ---- privileges ---------------------------------------------------------------------------- */

static int check_capability_sets(struct err *e)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct set[_LINUX_CAPABILITY_U32S_3] = { 0 };

	if (syscall(SYS_capget, &header, set) != 0)
		return err_errno(e, EX_HOST, errno, "capabilities: cannot be read");
	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		if ((set[i].effective | set[i].permitted | set[i].inheritable) != 0)
			return err_set(e, EX_HOST,
				       "capabilities: held in the permitted, effective or "
				       "inheritable set: the launcher has to drop them all");
	return 0;
}

/* Checked, not dropped: dropping is the launcher's, and a child that still has something to drop
 * was started wrongly. */
static int check_no_capability(struct err *e)
{
	int rc = check_capability_sets(e);

	if (rc < 0)
		return rc;
	for (unsigned long cap = 0; cap < CAP_NUMBERS; cap++) {
		/* Beyond the last capability of this kernel both fail with EINVAL. */
		if (prctl(PR_CAPBSET_READ, cap, 0ul, 0ul, 0ul) > 0)
			return err_set(e, EX_HOST, "capabilities: %lu is in the bounding set: the "
				       "launcher has to drop them all", cap);
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0ul, 0ul) > 0)
			return err_set(e, EX_HOST, "capabilities: %lu is in the ambient set: the "
				       "launcher has to drop them all", cap);
	}
	return 0;
}

/* Until Linux 5.16 a filter did this by default, since then spec_store_bypass_disable=prctl and
 * spectre_v2_user=prctl leave it to the process (Documentation/userspace-api/spec_ctrl.rst). Not
 * where the processor needs nothing or the host's owner decided for all. KVM gives the guest its
 * own setting on entry. */
static int forbid_speculation(struct err *e)
{
	static const struct {
		unsigned long feature;
		const char *name;
	} kinds[] = {
		{ PR_SPEC_STORE_BYPASS, "past stores" },
		{ PR_SPEC_INDIRECT_BRANCH, "by indirect branches" },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		int now = prctl(PR_GET_SPECULATION_CTRL, kinds[i].feature, 0ul, 0ul, 0ul);

		if (now >= 0 && ((unsigned)now & PR_SPEC_PRCTL) != 0 &&
		    prctl(PR_SET_SPECULATION_CTRL, kinds[i].feature, PR_SPEC_FORCE_DISABLE, 0ul,
			  0ul) != 0)
			return err_errno(e, EX_HOST, errno, "process: cannot forbid speculation %s",
					 kinds[i].name);
	}
	return 0;
}

int seal_process(struct err *e)
{
	int rc = check_no_capability(e);

	if (rc < 0)
		return rc;
	if (prctl(PR_SET_PDEATHSIG, (unsigned long)SIGKILL, 0ul, 0ul, 0ul) != 0)
		return err_errno(e, EX_HOST, errno,
				 "process: cannot tie its life to the launcher's");
	if (prctl(PR_SET_DUMPABLE, 0ul, 0ul, 0ul, 0ul) != 0)
		return err_errno(e, EX_HOST, errno, "process: cannot forbid dumps and tracing");
	/* Before Linux 6.3: EINVAL. The filters allow no mmap and no mprotect that asks for it. */
	if (prctl(PR_SET_MDWE, (unsigned long)PR_MDWE_REFUSE_EXEC_GAIN, 0ul, 0ul, 0ul) != 0 &&
	    errno != EINVAL)
		return err_errno(e, EX_HOST, errno, "process: cannot forbid new executable memory");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1ul, 0ul, 0ul, 0ul) != 0)
		return err_errno(e, EX_HOST, errno, "process: cannot set no_new_privs");
	return forbid_speculation(e);
}

/* ---- Landlock ------------------------------------------------------------------------------ */

static struct seal_landlock_ruleset everything(long abi)
{
	struct seal_landlock_ruleset r = { .handled_access_fs = SEAL_LANDLOCK_FS_ABI1 };

	if (abi >= 2)
		r.handled_access_fs |= SEAL_LANDLOCK_FS_REFER;
	if (abi >= 3)
		r.handled_access_fs |= SEAL_LANDLOCK_FS_TRUNCATE;
	if (abi >= 4)
		r.handled_access_net = SEAL_LANDLOCK_NET_BIND_TCP | SEAL_LANDLOCK_NET_CONNECT_TCP;
	if (abi >= 5)
		r.handled_access_fs |= SEAL_LANDLOCK_FS_IOCTL_DEV;
	if (abi >= 6)
		r.scoped = SEAL_LANDLOCK_SCOPE_ABSTRACT_UNIX | SEAL_LANDLOCK_SCOPE_SIGNAL;
	return r;
}

int seal_landlock(struct err *e)
{
	struct seal_landlock_ruleset rules;
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0ul, LANDLOCK_CREATE_RULESET_VERSION);
	long fd;
	int rc = 0;

	if (abi < 1)
		return err_set(e, EX_HOST, "landlock: %s: boot with landlock in lsm=",
			       abi < 0 ? strerror(errno) : "no ABI version");
	rules = everything(abi);
	fd = syscall(SYS_landlock_create_ruleset, &rules, sizeof(rules), 0ul);
	if (fd < 0)
		return err_errno(e, EX_HOST, errno, "landlock: cannot make a rule set (ABI %ld)",
				 abi);
	/* No rule is added: what is handled is denied. */
	if (syscall(SYS_landlock_restrict_self, fd, 0ul) != 0)
		rc = err_errno(e, EX_HOST, errno,
			       "landlock: cannot restrict this process (ABI %ld)", abi);
	close((int)fd);
	return rc;
}

/* ---- seccomp ------------------------------------------------------------------------------- */

int seal_seccomp(const struct sock_filter *filter, size_t count, int all_threads, struct err *e)
{
	/* The kernel only reads the program; its structure has no const. */
	struct sock_fprog program = { .filter = (struct sock_filter *)(uintptr_t)filter };
	unsigned long flags = all_threads ? SECCOMP_FILTER_FLAG_TSYNC : 0;
	long r;

	if (count == 0 || count > BPF_MAXINSNS)
		return err_set(e, EX_INTERNAL, "seccomp: a filter of %zu instructions", count);
	program.len = (unsigned short)count;
	r = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
	if (r < 0)
		return err_errno(e, EX_HOST, errno, "seccomp: cannot install the filter");
	/* TSYNC answers with the id of a thread that could not follow, a positive number. */
	if (r != 0)
		return err_set(e, EX_HOST, "seccomp: thread %ld has another filter", r);
	return 0;
}
