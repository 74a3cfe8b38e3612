#include "sandbox/jail.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The new mount API: its calls name no path where a descriptor will do. glibc 2.36 has them. */

static int open_tree_at(const char *path)
{
	int fd = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);

	return fd < 0 ? -errno : fd;
}

static int set_flags(int mount, uint64_t flags)
{
	struct mount_attr a = { .attr_set = flags };

	if (mount_setattr(mount, "", AT_EMPTY_PATH | AT_RECURSIVE, &a, sizeof(a)) != 0)
		return -errno;
	return 0;
}

/* A tmpfs of the child's own, writable for its user until jail_enter makes it read-only. */
static int make_root(uid_t id, gid_t group)
{
	char user[16], members[16];
	int rc = -1;

	snprintf(user, sizeof(user), "%u", id);
	snprintf(members, sizeof(members), "%u", group);
	int fs = fsopen("tmpfs", FSOPEN_CLOEXEC);
	if (fs < 0)
		return -errno;
	if (fsconfig(fs, FSCONFIG_SET_STRING, "size", "64k", 0) == 0 &&
	    fsconfig(fs, FSCONFIG_SET_STRING, "mode", "0755", 0) == 0 &&
	    fsconfig(fs, FSCONFIG_SET_STRING, "uid", user, 0) == 0 &&
	    fsconfig(fs, FSCONFIG_SET_STRING, "gid", members, 0) == 0 &&
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
		rc = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID |
			     MOUNT_ATTR_NOEXEC);
	int cause = errno;
	close(fs);
	return rc < 0 ? -cause : rc;
}

int jail_mounts(struct jail *j, const char *mount_point, const char *state, uid_t id,
		gid_t group)
{
	int rc;

	*j = (struct jail){ .usr = -1, .state = -1, .root = -1 };
	/* Nothing mounted here may reach the host, and nothing of the host may reach in. */
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		return -errno;
	if (state != NULL) {
		j->usr = open_tree_at("/usr");
		j->state = open_tree_at(state);
		if (j->usr < 0 || j->state < 0)
			return j->usr < 0 ? j->usr : j->state;
		rc = set_flags(j->usr, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID);
		if (rc == 0)
			rc = set_flags(j->state, MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID |
				       MOUNT_ATTR_NOEXEC);
		if (rc != 0)
			return rc;
	}
	j->root = make_root(id, group);
	if (j->root < 0)
		return j->root;
	/* pivot_root(2) wants an attached mount. */
	if (move_mount(j->root, "", AT_FDCWD, mount_point, MOVE_MOUNT_F_EMPTY_PATH) != 0)
		return -errno;
	return 0;
}

int jail_ids(uid_t id, gid_t group)
{
	if (setgroups(0, NULL) != 0 || setresgid(group, group, group) != 0 ||
	    setresuid(id, id, id) != 0)
		return -errno;
	return 0;
}

static int attach(int root, int mount, const char *name)
{
	if (mount < 0)
		return 0;
	if (mkdirat(root, name, 0700) != 0)
		return -errno;
	if (move_mount(mount, "", root, name, MOVE_MOUNT_F_EMPTY_PATH) != 0)
		return -errno;
	return 0;
}

/* The loader and libraries are named by /lib64/ld-linux-x86-64.so.2 and /lib: links into /usr. */
static int merged_usr_links(int root)
{
	if (symlinkat("usr/lib", root, "lib") != 0 || symlinkat("usr/lib64", root, "lib64") != 0)
		return -errno;
	return 0;
}

int jail_enter(struct jail *j)
{
	int rc = 0;

	if (j->usr >= 0)
		rc = merged_usr_links(j->root);
	if (rc == 0)
		rc = attach(j->root, j->usr, "usr");
	if (rc == 0)
		rc = attach(j->root, j->state, "state");
	if (rc != 0)
		return rc;
	/* Only the root itself: /state stays writable, /usr is read-only already. */
	struct mount_attr a = { .attr_set = MOUNT_ATTR_RDONLY };
	if (mount_setattr(j->root, "", AT_EMPTY_PATH, &a, sizeof(a)) != 0)
		return -errno;
	/* Old and new root at one place, then the old one is taken off (pivot_root(2)): so no
	 * directory for it is needed in a root that is empty. */
	if (fchdir(j->root) != 0 || syscall(SYS_pivot_root, ".", ".") != 0 ||
	    umount2(".", MNT_DETACH) != 0 || chdir("/") != 0)
		return -errno;
	umask(077);
	return 0;
}

int jail_limits(uint64_t file_limit, uint64_t fd_limit, uint64_t thread_limit)
{
	const struct {
		int resource;
		rlim_t value;
	} limits[] = {
		{ RLIMIT_CORE, 0 },          /* a core file would hold guest memory */
		{ RLIMIT_FSIZE, file_limit },
		{ RLIMIT_NOFILE, fd_limit },
		{ RLIMIT_NPROC, thread_limit },
		{ RLIMIT_STACK, 8u << 20 },
		{ RLIMIT_MEMLOCK, 64u << 10 },
		{ RLIMIT_MSGQUEUE, 0 },
		{ RLIMIT_NICE, 0 },
		{ RLIMIT_RTPRIO, 0 },
		{ RLIMIT_SIGPENDING, 64 },
	};

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		struct rlimit r;
		if (getrlimit((__rlimit_resource_t)limits[i].resource, &r) != 0)
			return -errno;
		/* Lowered only: raising a hard limit asks for a capability outside our namespace. */
		if (r.rlim_max > limits[i].value)
			r.rlim_max = limits[i].value;
		r.rlim_cur = r.rlim_max;
		if (setrlimit((__rlimit_resource_t)limits[i].resource, &r) != 0)
			return -errno;
	}
	return 0;
}
