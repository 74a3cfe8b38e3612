/* Namespaces, mounts and roots. */
#include "tests/escape/attempt.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* <linux/mount.h> and <sys/mount.h> do not go together; these are all that is needed of the
 * latter. */
int mount(const char *source, const char *where, const char *type, unsigned long flags,
	  const void *data);
int umount2(const char *where, int flags);
#define DETACH 2 /* MNT_DETACH */

static bool new_user(void)
{
	return unshare(CLONE_NEWUSER) == 0;
}

static bool new_mount(void)
{
	return unshare(CLONE_NEWNS) == 0;
}

static bool new_pid(void)
{
	return unshare(CLONE_NEWPID) == 0;
}

static bool new_net(void)
{
	return unshare(CLONE_NEWNET) == 0;
}

static bool new_ipc(void)
{
	return unshare(CLONE_NEWIPC) == 0;
}

static bool new_uts(void)
{
	return unshare(CLONE_NEWUTS) == 0;
}

static bool new_cgroup(void)
{
	return unshare(CLONE_NEWCGROUP) == 0;
}

static bool new_time(void)
{
	return unshare(0x80 /* CLONE_NEWTIME */) == 0;
}

static bool clone_user(void)
{
	pid_t child = (pid_t)syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);

	if (child == 0)
		syscall(SYS_exit_group, 0);
	return child > 0 && waitpid(child, NULL, 0) == child;
}

/* Into the host's, by a process that is there. */
static bool enter(int flags)
{
	int pidfd = (int)syscall(SYS_pidfd_open, (pid_t)target_number("BYSTANDER"), 0);

	return pidfd >= 0 && setns(pidfd, flags) == 0;
}

static bool enter_net(void)
{
	return enter(CLONE_NEWNET);
}

static bool enter_uts(void)
{
	return enter(CLONE_NEWUTS);
}

static bool enter_by_path(void)
{
	int fd = open("/proc/1/ns/ipc", O_RDONLY);

	return fd >= 0 && setns(fd, 0) == 0;
}

/* Where there is a folder for it; in an empty root over the root itself, which is its own then. */
static bool mounts(const char *type)
{
	if (mount("escape", "/mnt", type, 0, NULL) == 0)
		return umount2("/mnt", DETACH) == 0;
	return errno == ENOENT && mount("escape", "/", type, 0, NULL) == 0;
}

static bool mount_memory(void)
{
	return mounts("tmpfs");
}

static bool mount_proc(void)
{
	return mounts("proc");
}

static bool remount_writable(void)
{
	return mount(NULL, "/", NULL, 0x20 | 0x1000 /* MS_REMOUNT | MS_BIND */, NULL) == 0;
}

static bool new_mount_api(void)
{
	int fs = (int)syscall(SYS_fsopen, "tmpfs", 0);

	return fs >= 0 && syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0 &&
	       syscall(SYS_fsmount, fs, 0, 0) >= 0;
}

static bool copy_tree(void)
{
	return syscall(SYS_open_tree, AT_FDCWD, "/", OPEN_TREE_CLONE | AT_RECURSIVE) >= 0;
}

static bool change_flags(void)
{
	struct mount_attr a = { .attr_clr = MOUNT_ATTR_RDONLY };

	return syscall(SYS_mount_setattr, AT_FDCWD, "/", 0, &a, sizeof(a)) == 0;
}

/* With a namespace of its own first, or the host would lose its root: one attempt of two calls. */
static bool pivot(void)
{
	return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, 0x4000 | 0x40000, NULL) == 0 &&
	       mount("escape", "/mnt", "tmpfs", 0, NULL) == 0 && chdir("/mnt") == 0 &&
	       syscall(SYS_pivot_root, ".", ".") == 0;
}

static bool change_root(void)
{
	return chroot("/") == 0;
}

static const struct attempt attempts[] = {
	{ "unshare-user", "a user namespace of its own", VM_ROLES, new_user },
	{ "unshare-mount", "a mount namespace", VM_ROLES, new_mount },
	{ "unshare-pid", "a pid namespace", VM_ROLES, new_pid },
	{ "unshare-net", "a network namespace", VM_ROLES, new_net },
	{ "unshare-ipc", "an IPC namespace", VM_ROLES, new_ipc },
	{ "unshare-uts", "a UTS namespace", VM_ROLES, new_uts },
	{ "unshare-cgroup", "a cgroup namespace", VM_ROLES, new_cgroup },
	{ "unshare-time", "a time namespace", VM_ROLES, new_time },
	{ "clone-user", "a child in a user namespace", VM_ROLES, clone_user },
	{ "setns-net", "enters the host's network", VM_ROLES, enter_net },
	{ "setns-uts", "enters the host's UTS namespace", VM_ROLES, enter_uts },
	{ "setns-path", "enters the host's IPC namespace by path", VM_ROLES, enter_by_path },
	{ "mount-tmpfs", "mounts a file system", VM_ROLES, mount_memory },
	{ "mount-proc", "mounts /proc", VM_ROLES, mount_proc },
	{ "mount-remount", "makes its root writable", VM_ROLES, remount_writable },
	{ "mount-fsopen", "mounts by the newer calls", VM_ROLES, new_mount_api },
	{ "mount-copy", "copies the mounts it sees", VM_ROLES, copy_tree },
	{ "mount-setattr", "changes the flags of its root", VM_ROLES, change_flags },
	{ "mount-pivot", "pivots to another root", VM_ROLES, pivot },
	{ "chroot", "changes its root", VM_ROLES, change_root },
};

const struct class class_namespaces = CLASS("namespaces", attempts);
