/* Another program in this process's place. Each exits with EXECUTED, which the runner sees. */
#include "tests/escape/attempt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXIT_SHELL "exit 42"
static char *const no_environment[] = { NULL };

static bool shell(void)
{
	char *const argv[] = { (char *)"sh", (char *)"-c", (char *)EXIT_SHELL, NULL };

	execve("/usr/bin/dash", argv, no_environment);
	return false;
}

/* What it is itself, by path: the next start of it has no filter yet. */
static bool own_program(void)
{
	char *const argv[] = { (char *)"again", (char *)"prove", NULL };

	execve(target("PROGRAM"), argv, no_environment);
	return false;
}

/* A complete program of two instructions, mov $60, %eax; mov $42, %edi; syscall: one header, one
 * segment (System V ABI, "Program Header"). */
static const unsigned char program[] = {
	0x7f, 'E', 'L', 'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	2, 0, 62, 0, 1, 0, 0, 0, 0x78, 0, 0x40, 0, 0, 0, 0, 0,
	64, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 64, 0, 56, 0, 1, 0, 0, 0, 0, 0, 0, 0,
	1, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 0, 0, 0,
	0x84, 0, 0, 0, 0, 0, 0, 0, 0x84, 0, 0, 0, 0, 0, 0, 0,
	0, 0x10, 0, 0, 0, 0, 0, 0,
	0xb8, 60, 0, 0, 0, 0xbf, EXECUTED, 0, 0, 0, 0x0f, 0x05,
};

static bool memory_file(void)
{
	char *const argv[] = { (char *)"memory", NULL };
	int fd = memfd_create("program", MFD_CLOEXEC);

	if (fd < 0 || write(fd, program, sizeof(program)) != (ssize_t)sizeof(program))
		return false;
	syscall(SYS_execveat, fd, "", argv, no_environment, AT_EMPTY_PATH);
	return false;
}

static bool runs_file(const char *path, const void *data, size_t size)
{
	char *const argv[] = { (char *)"file", NULL };
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0755);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size ||
	    fchmod(fd, 0755) != 0 || close(fd) != 0)
		return false;
	execve(path, argv, no_environment);
	return false;
}

static bool written_file(void)
{
	return runs_file("/tmp/escape-program", program, sizeof(program));
}

static bool script(void)
{
	static const char text[] = "#!/usr/bin/dash\n" EXIT_SHELL "\n";

	return runs_file("/tmp/escape-script", text, sizeof(text) - 1);
}

/* In the one folder that swtpm may write. */
static bool state_file(void)
{
	return runs_file("/state/escape-program", program, sizeof(program));
}

static const struct attempt attempts[] = {
	{ "exec-shell", "executes a shell", VM_ROLES, shell },
	{ "exec-self", "executes its own program again", VM_ROLES, own_program },
	{ "exec-memfd", "executes a file in memory", VM_ROLES, memory_file },
	{ "exec-file", "executes a file it wrote", VM_ROLES, written_file },
	{ "exec-script", "executes a script it wrote", VM_ROLES, script },
	{ "exec-state", "executes a file it wrote to the vTPM's state", BIT(ROLE_VTPM),
	  state_file },
};

const struct class class_exec = CLASS("exec", attempts);
