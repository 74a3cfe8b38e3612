/* Who is no process of a VM: root outside of every domain of ours, and the launcher's own domain
 * with a program that forgot the label. */
#include "tests/escape/attempt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

static bool trace(void)
{
	pid_t pid = (pid_t)target_number("VMM");

	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) != 0)
		return false;
	ptrace(PTRACE_DETACH, pid, NULL, NULL);
	return true;
}

static bool memory(void)
{
	char path[40], data[128];

	snprintf(path, sizeof(path), "/proc/%ld/mem", target_number("VMM"));
	int fd = open(path, O_RDONLY);
	return fd >= 0 && pread(fd, data, sizeof(data), target_number("SECRET_AT")) > 0 &&
	       has_secret(data, sizeof(data));
}

static bool memory_by_call(void)
{
	char data[128] = { 0 };
	struct iovec to = { data, sizeof(data) };
	struct iovec from = { (void *)target_number("SECRET_AT"), sizeof(data) };

	return process_vm_readv((pid_t)target_number("VMM"), &to, 1, &from, 1, 0) > 0 &&
	       has_secret(data, sizeof(data));
}

static bool take(const char *name, int fd)
{
	int pidfd = (int)syscall(SYS_pidfd_open, (pid_t)target_number(name), 0);

	return pidfd >= 0 && syscall(SYS_pidfd_getfd, pidfd, fd, 0) >= 0;
}

static bool take_ram(void)
{
	return take("VMM", (int)target_number("RAM_FD"));
}

static bool take_disk(void)
{
	return take("BLK", (int)target_number("DISK_FD"));
}

static bool take_of_launcher(void)
{
	for (int fd = 3; fd < 32; fd++)
		if (take("LAUNCHER", fd))
			return true;
	return false;
}

static bool relabels(const char *path)
{
	const char *label = target("FILE_LABEL");

	return setxattr(path, "security.selinux", label, strlen(label) + 1, 0) == 0;
}

static bool relabel_disk(void)
{
	return relabels(target("IMAGE"));
}

static bool relabel_state(void)
{
	return relabels(target("TPM"));
}

static bool read_state(void)
{
	return reads_secret(open(target("TPM"), O_RDONLY));
}

static bool write_state(void)
{
	int fd = open(target("TPM"), O_WRONLY);

	return fd >= 0 && pwrite(fd, "x", 1, 8192) == 1;
}

static bool read_ram(void)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/%ld/fd/%ld", target_number("VMM"),
		 target_number("RAM_FD"));
	return reads_secret(open(path, O_RDONLY));
}

/* In the launcher's domain, without a label for exec. */
static bool forgotten_label(void)
{
	char *const argv[] = { (char *)"pavise-vmm", (char *)"prove", NULL };
	char *const environment[] = { NULL };

	execve(target("PROGRAM"), argv, environment);
	return false;
}

static const struct attempt attempts[] = {
	{ "root-ptrace", "root attaches to a VMM", BIT(ROLE_ROOT), trace },
	{ "root-mem", "root reads a VMM's memory through /proc", BIT(ROLE_ROOT), memory },
	{ "root-readv", "root reads it by process_vm_readv", BIT(ROLE_ROOT), memory_by_call },
	{ "root-getfd-ram", "root takes a guest's memory", BIT(ROLE_ROOT), take_ram },
	{ "root-getfd-disk", "root takes a VM's disk from its process", BIT(ROLE_ROOT), take_disk },
	{ "root-getfd-launcher", "root takes a launcher's descriptor", BIT(ROLE_ROOT),
	  take_of_launcher },
	{ "root-relabel-disk", "root relabels a VM's disk", BIT(ROLE_ROOT), relabel_disk },
	{ "root-relabel-tpm", "root relabels a vTPM's state", BIT(ROLE_ROOT), relabel_state },
	{ "root-tpm-read", "root reads a vTPM's state", BIT(ROLE_ROOT), read_state },
	{ "root-tpm-write", "root writes to it", BIT(ROLE_ROOT), write_state },
	{ "root-ram", "root opens a guest's memory through /proc", BIT(ROLE_ROOT), read_ram },
	{ "forgotten-label", "the launcher's domain starts a VMM without a label",
	  BIT(ROLE_LAUNCHER), forgotten_label },
};

const struct class class_others = CLASS("others", attempts);
