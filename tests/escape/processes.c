/* Another VM's processes: tracing, memory, descriptors, signals, scheduling. */
#include "tests/escape/attempt.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define NO_PROCESS (1 << 30) /* above the kernel's largest; kill(2) takes -1 for everybody */

/* In a pid namespace of its own a small number may be this process: that would be no success. */
static pid_t process(const char *name)
{
	long pid = target_number(name);

	return pid <= 1 || pid == syscall(SYS_gettid) ? NO_PROCESS : (pid_t)pid;
}

static bool trace_attach(void)
{
	pid_t pid = process("VMM");
	int status;

	if (ptrace(PTRACE_ATTACH, pid, NULL, NULL) != 0)
		return false;
	bool taken = waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status);
	ptrace(PTRACE_DETACH, pid, NULL, NULL);
	return taken;
}

static bool trace_seize(void)
{
	pid_t pid = process("VMM");

	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) != 0)
		return false;
	ptrace(PTRACE_DETACH, pid, NULL, NULL);
	return true;
}

static bool vm_read(void)
{
	char data[128] = { 0 };
	struct iovec to = { data, sizeof(data) };
	struct iovec from = { (void *)target_number("SECRET_AT"), sizeof(data) };

	return process_vm_readv(process("VMM"), &to, 1, &from, 1, 0) > 0 &&
	       has_secret(data, sizeof(data));
}

static bool vm_write(void)
{
	char mark = 'x';
	struct iovec from = { &mark, 1 }, to = { (void *)target_number("SCRATCH_AT"), 1 };

	return process_vm_writev(process("VMM"), &from, 1, &to, 1, 0) == 1;
}

static int take_descriptor(const char *name, int fd)
{
	int pidfd = (int)syscall(SYS_pidfd_open, process(name), 0);

	return pidfd < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
}

/* Its offset is shared with the owner's: read from the beginning. */
static bool take_and_read(const char *name, const char *number)
{
	char data[4096] = { 0 };
	int fd = take_descriptor(name, (int)target_number(number));

	return fd >= 0 && pread(fd, data, sizeof(data), 0) > 0 && has_secret(data, sizeof(data));
}

static bool take_ram(void)
{
	return take_and_read("VMM", "RAM_FD");
}

static bool take_disk(void)
{
	return take_and_read("BLK", "DISK_FD");
}

/* The VM itself: an anonymous inode, as guest_memfd is (which the lab's paging cannot have). */
static bool take_vm(void)
{
	return take_descriptor("VMM", (int)target_number("VM_FD")) >= 0;
}

static bool take_tpm_channel(void)
{
	return take_descriptor("VTPM", 3) >= 0;
}

static bool take_of_launcher(void)
{
	for (int fd = 3; fd < 32; fd++)
		if (take_descriptor("LAUNCHER", fd) >= 0)
			return true;
	return false;
}

static bool signal_null(void)
{
	return kill(process("VMM"), 0) == 0;
}

static bool signal_stop(void)
{
	pid_t pid = process("VMM");

	return kill(pid, SIGSTOP) == 0 && kill(pid, SIGCONT) == 0;
}

static bool signal_by_pidfd(void)
{
	int pidfd = (int)syscall(SYS_pidfd_open, process("BLK"), 0);

	return pidfd >= 0 && syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0) == 0;
}

/* One sleeper a role, since it does not survive. */
static bool signal_kill(void)
{
	char name[32];

	snprintf(name, sizeof(name), "SLEEPER_%d", (int)own_role());
	return kill(process(name), SIGKILL) == 0;
}

static bool signal_launcher(void)
{
	return kill(process("LAUNCHER"), 0) == 0;
}

static bool affinity(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	return sched_setaffinity(process("VMM"), sizeof(set), &set) == 0;
}

static bool priority(void)
{
	return setpriority(PRIO_PROCESS, (id_t)process("VMM"), 5) == 0;
}

static bool limits_of(void)
{
	struct rlimit now;

	return prlimit(process("VMM"), RLIMIT_NOFILE, NULL, &now) == 0 &&
	       prlimit(process("VMM"), RLIMIT_NOFILE, &now, NULL) == 0;
}

static bool shared_memory(void)
{
	const char *p = shmat((int)target_number("SHM"), NULL, SHM_RDONLY);

	return p != (void *)-1 && has_secret(p, 128);
}

static const struct attempt attempts[] = {
	{ "ptrace-attach", "attaches to another VMM", VM_ROLES, trace_attach },
	{ "ptrace-seize", "seizes it", VM_ROLES, trace_seize },
	{ "vm-readv", "reads its memory by process_vm_readv", VM_ROLES, vm_read },
	{ "vm-writev", "writes to it by process_vm_writev", VM_ROLES, vm_write },
	{ "getfd-ram", "takes its guest's memory by pidfd_getfd", VM_ROLES, take_ram },
	{ "getfd-disk", "takes another VM's disk", VM_ROLES, take_disk },
	{ "getfd-vm", "takes another VM's KVM descriptor", VM_ROLES, take_vm },
	{ "getfd-tpm", "takes another vTPM's channel", VM_ROLES, take_tpm_channel },
	{ "getfd-launcher", "takes a descriptor of another VM's launcher", VM_ROLES,
	  take_of_launcher },
	{ "signal-null", "signal 0: is that process there", VM_ROLES, signal_null },
	{ "signal-stop", "stops another VMM", VM_ROLES, signal_stop },
	{ "signal-pidfd", "signals a device process by pidfd", VM_ROLES, signal_by_pidfd },
	{ "signal-kill", "kills a host process", VM_ROLES, signal_kill },
	{ "signal-launcher", "signals another VM's launcher", VM_ROLES, signal_launcher },
	{ "affinity", "moves another VMM to a processor", VM_ROLES, affinity },
	{ "priority", "makes another VMM slower", VM_ROLES, priority },
	{ "prlimit", "sets another VMM's limits", VM_ROLES, limits_of },
	{ "host-shm", "reads a shared memory segment of the host", VM_ROLES, shared_memory },
};

const struct class class_processes = CLASS("processes", attempts);
