/* Interfaces to the kernel itself. What would take the machine down is tried with an argument
 * that is refused only behind the check of permission: the errno that says so is what "done"
 * means there. */
#include "tests/escape/attempt.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/fanotify.h>
#include <linux/io_uring.h>
#include <linux/perf_event.h>
#include <linux/reboot.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static bool bpf_map(void)
{
	union bpf_attr a;

	memset(&a, 0, sizeof(a));
	a.map_type = BPF_MAP_TYPE_ARRAY;
	a.key_size = 4;
	a.value_size = 8;
	a.max_entries = 1;
	return syscall(SYS_bpf, BPF_MAP_CREATE, &a, sizeof(a)) >= 0;
}

/* Of a whole processor, so of whoever else runs there. */
static bool perf(void)
{
	struct perf_event_attr a = { .type = PERF_TYPE_SOFTWARE, .size = sizeof(a),
				     .config = PERF_COUNT_SW_CPU_CLOCK };

	return syscall(SYS_perf_event_open, &a, -1, 0, -1, 0) >= 0;
}

static bool fault_descriptor(void)
{
	return syscall(SYS_userfaultfd, O_CLOEXEC) >= 0;
}

static bool ring(void)
{
	struct io_uring_params p;

	memset(&p, 0, sizeof(p));
	return syscall(SYS_io_uring_setup, 1, &p) >= 0;
}

static bool fanotify(void)
{
	return syscall(SYS_fanotify_init, FAN_CLASS_CONTENT, O_RDONLY) >= 0;
}

static bool kernel_log(void)
{
	static char text[4096];

	return syscall(SYS_syslog, 3 /* SYSLOG_ACTION_READ_ALL */, text, sizeof(text)) > 0;
}

/* The path is looked up after the capability. */
static bool swap_on(void)
{
	return syscall(SYS_swapon, "/escape-swap", 0) != 0 && errno == ENOENT;
}

/* Ctrl-Alt-Del is sent to init: no reboot. Inside a pid namespace this argument is refused. */
static bool reboot_host(void)
{
	return syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2,
		       LINUX_REBOOT_CMD_CAD_OFF, NULL) == 0;
}

/* Flags that do not exist are refused after capability and lockdown. */
static bool load_kernel(void)
{
	return syscall(SYS_kexec_load, 0, 0, NULL, 0xfffful) != 0 && errno == EINVAL;
}

/* No module, but the capability was there: then it is parsed. */
static bool load_module(void)
{
	return syscall(SYS_init_module, "", 0ul, "") != 0 && errno == ENOEXEC;
}

static bool unload_module(void)
{
	return syscall(SYS_delete_module, "escape_none", O_NONBLOCK) != 0 && errno == ENOENT;
}

/* To what it is. */
static bool set_clock(void)
{
	struct timespec now;

	return clock_gettime(CLOCK_REALTIME, &now) == 0 && clock_settime(CLOCK_REALTIME, &now) == 0;
}

static bool ports(void)
{
	return ioperm(0x80, 1, 1) == 0;
}

static bool accounting(void)
{
	return syscall(SYS_acct, NULL) == 0;
}

/* Written back as it was. */
static bool rewrite(const char *path)
{
	char value[256];
	int fd = open(path, O_RDWR);
	ssize_t n = fd < 0 ? -1 : read(fd, value, sizeof(value));

	return n > 0 && lseek(fd, 0, SEEK_SET) == 0 && write(fd, value, (size_t)n) == n;
}

static bool sysctl_value(void)
{
	return rewrite("/proc/sys/kernel/panic_on_oops");
}

static bool core_pattern(void)
{
	return rewrite("/proc/sys/kernel/core_pattern");
}

static bool sysfs_value(void)
{
	return rewrite("/sys/kernel/mm/ksm/run");
}

static bool sysrq(void)
{
	return open("/proc/sysrq-trigger", O_WRONLY) >= 0;
}

/* Enforcing, which it is. */
static bool set_enforcing(void)
{
	int fd = open("/sys/fs/selinux/enforce", O_RDWR);

	return fd >= 0 && write(fd, "1", 1) == 1;
}

static bool new_cgroup(void)
{
	const char *path = "/sys/fs/cgroup/escape-cgroup";

	return mkdir(path, 0700) == 0 && rmdir(path) == 0;
}

static bool secret_memory(void)
{
	return syscall(SYS_memfd_secret, 0) >= 0;
}

static const struct attempt attempts[] = {
	{ "bpf", "makes a BPF map", VM_ROLES, bpf_map },
	{ "perf", "measures a processor", VM_ROLES, perf },
	{ "userfaultfd", "handles page faults of the kernel", VM_ROLES, fault_descriptor },
	{ "io-uring", "sets up a ring of requests", VM_ROLES, ring },
	{ "fanotify", "watches everybody's files", VM_ROLES, fanotify },
	{ "kernel-log", "reads the kernel's log", VM_ROLES, kernel_log },
	{ "swapon", "swaps to a file", VM_ROLES, swap_on },
	{ "reboot", "asks init to reboot on Ctrl-Alt-Del", VM_ROLES, reboot_host },
	{ "kexec", "loads another kernel", VM_ROLES, load_kernel },
	{ "module-load", "loads a module", VM_ROLES, load_module },
	{ "module-unload", "unloads a module", VM_ROLES, unload_module },
	{ "clock", "sets the host's clock", VM_ROLES, set_clock },
	{ "ports", "uses I/O ports", VM_ROLES, ports },
	{ "accounting", "turns process accounting off", VM_ROLES, accounting },
	{ "sysctl", "sets a kernel parameter", VM_ROLES, sysctl_value },
	{ "core-pattern", "sets what runs when a program crashes", VM_ROLES, core_pattern },
	{ "sysfs", "sets a value of sysfs", VM_ROLES, sysfs_value },
	{ "sysrq", "opens the emergency trigger", VM_ROLES, sysrq },
	{ "setenforce", "sets SELinux's mode", VM_ROLES, set_enforcing },
	{ "cgroup-make", "makes a cgroup", VM_ROLES, new_cgroup },
	{ "secretmem", "memory that the kernel does not map", OWN_ROLES, secret_memory },
};

const struct class class_kernel = CLASS("kernel", attempts);
