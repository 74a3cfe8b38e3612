/* What /proc shows of another VM's processes. */
#include "tests/escape/attempt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int open_proc(const char *process, const char *file, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%ld/%s", target_number(process), file);
	return open(path, flags);
}

static bool mem_read(void)
{
	char data[128];
	int fd = open_proc("VMM", "mem", O_RDONLY);

	return fd >= 0 && pread(fd, data, sizeof(data), target_number("SECRET_AT")) > 0 &&
	       has_secret(data, sizeof(data));
}

static bool mem_write(void)
{
	char mark = 'x';
	int fd = open_proc("VMM", "mem", O_RDWR);

	return fd >= 0 && pwrite(fd, &mark, 1, target_number("SCRATCH_AT")) == 1;
}

static bool reads_any(int fd)
{
	char data[64];

	return fd >= 0 && read(fd, data, sizeof(data)) > 0;
}

static bool maps(void)
{
	return reads_any(open_proc("VMM", "maps", O_RDONLY));
}

static bool environment(void)
{
	return reads_any(open_proc("VMM", "environ", O_RDONLY));
}

static bool auxv(void)
{
	return reads_any(open_proc("VMM", "auxv", O_RDONLY));
}

static bool fd_ram(void)
{
	char file[32];

	snprintf(file, sizeof(file), "fd/%ld", target_number("RAM_FD"));
	return reads_secret(open_proc("VMM", file, O_RDONLY));
}

static bool fd_disk(void)
{
	char file[32];

	snprintf(file, sizeof(file), "fd/%ld", target_number("DISK_FD"));
	return reads_secret(open_proc("BLK", file, O_RDONLY));
}

static bool root(void)
{
	return open_proc("VMM", "root", O_RDONLY | O_DIRECTORY) >= 0;
}

static bool cwd(void)
{
	return open_proc("VMM", "cwd", O_RDONLY | O_DIRECTORY) >= 0;
}

static bool oom_score(void)
{
	int fd = open_proc("VMM", "oom_score_adj", O_WRONLY);

	return fd >= 0 && write(fd, "1000", 4) == 4;
}

static bool host_environment(void)
{
	return reads_secret(open_proc("BYSTANDER", "environ", O_RDONLY));
}

static const struct attempt attempts[] = {
	{ "proc-mem-read", "reads another VMM's memory through /proc/PID/mem", VM_ROLES, mem_read },
	{ "proc-mem-write", "writes to it", VM_ROLES, mem_write },
	{ "proc-maps", "reads its memory map", VM_ROLES, maps },
	{ "proc-environ", "reads its environment", VM_ROLES, environment },
	{ "proc-auxv", "reads where it is loaded", VM_ROLES, auxv },
	{ "proc-fd-ram", "opens another guest's memory through /proc/PID/fd", VM_ROLES, fd_ram },
	{ "proc-fd-disk", "opens its disk through /proc/PID/fd", VM_ROLES, fd_disk },
	{ "proc-root", "opens its root", VM_ROLES, root },
	{ "proc-cwd", "opens its working directory", VM_ROLES, cwd },
	{ "proc-oom", "makes it the first to die of a lack of memory", VM_ROLES, oom_score },
	{ "proc-host-environ", "reads the environment of a host process", VM_ROLES,
	  host_environment },
};

const struct class class_proc = CLASS("proc", attempts);
