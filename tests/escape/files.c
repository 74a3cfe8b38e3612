/* Files of the other VM and of the host, by path, by handle, and by descriptors left open. */
#include "tests/escape/attempt.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool read_path(const char *name)
{
	return reads_secret(open(target(name), O_RDONLY));
}

/* Beyond what others look at, and read back. */
static bool write_path(const char *name)
{
	static const char mark[] = "escape was here";
	char back[sizeof(mark)] = { 0 };
	int fd = open(target(name), O_RDWR);

	if (fd < 0 || pwrite(fd, mark, sizeof(mark), 8192) != (ssize_t)sizeof(mark) ||
	    pread(fd, back, sizeof(back), 8192) != (ssize_t)sizeof(back))
		return false;
	return memcmp(mark, back, sizeof(mark)) == 0;
}

static bool image_read(void)
{
	return read_path("IMAGE");
}

static bool image_write(void)
{
	return write_path("IMAGE");
}

static bool image_rename(void)
{
	char other[256];

	snprintf(other, sizeof(other), "%s.moved", target("IMAGE"));
	return rename(target("IMAGE"), other) == 0 && rename(other, target("IMAGE")) == 0;
}

static bool image_chmod(void)
{
	return chmod(target("IMAGE"), 0666) == 0 && chmod(target("IMAGE"), 0644) == 0;
}

static bool log_read(void)
{
	return read_path("LOG");
}

static bool log_forge(void)
{
	static const char line[] = "all is well\n";
	struct stat before, after;
	int fd = open(target("LOG"), O_WRONLY | O_APPEND);

	return fd >= 0 && fstat(fd, &before) == 0 &&
	       write(fd, line, sizeof(line) - 1) == (ssize_t)sizeof(line) - 1 &&
	       fstat(fd, &after) == 0 && after.st_size > before.st_size;
}

static bool tpm_read(void)
{
	return read_path("TPM");
}

static bool tpm_write(void)
{
	return write_path("TPM");
}

static bool run_list(void)
{
	DIR *d = opendir(target("RUN"));
	bool found = false;

	for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;)
		found = found || strcmp(e->d_name, "control.sock") == 0;
	return found;
}

static bool run_plant(void)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/planted", target("RUN"));
	return mkdir(path, 0700) == 0 && rmdir(path) == 0;
}

static bool host_read(void)
{
	return read_path("HOST_FILE");
}

static bool host_write(void)
{
	return write_path("HOST_FILE");
}

/* A handle needs no path: any descriptor of the same file system will do, its own log is one. */
static bool host_handle(void)
{
	struct {
		struct file_handle head;
		unsigned char bytes[128];
	} handle = { 0 };
	const char *hex = target("LOG_HANDLE"), *colon = strchr(hex, ':');

	if (colon == NULL)
		return stopped(ENOENT);
	handle.head.handle_type = (int)strtol(hex, NULL, 10);
	for (const char *at = colon + 1;
	     at[0] != '\0' && at[1] != '\0' && handle.head.handle_bytes < 128; at += 2) {
		const char digits[3] = { at[0], at[1], '\0' };
		handle.bytes[handle.head.handle_bytes++] =
			(unsigned char)strtoul(digits, NULL, 16);
	}
	return reads_secret(open_by_handle_at(STDOUT_FILENO, &handle.head, O_RDONLY));
}

static bool root_write(void)
{
	return mkdir("/escape-root", 0700) == 0 && rmdir("/escape-root") == 0;
}

static bool usr_write(void)
{
	int fd = open("/usr/share/escape-usr", O_WRONLY | O_CREAT, 0600);

	return fd >= 0 && write(fd, "x", 1) == 1 && unlink("/usr/share/escape-usr") == 0;
}

static bool left_open(const char *name)
{
	long fd = target_number(name);

	/* Read by one role after the other, from where the last one stopped: it is full of it. */
	return fd >= 0 && reads_secret((int)fd);
}

static bool left_open_file(void)
{
	return left_open("LEFT_FILE");
}

static bool left_open_image(void)
{
	return left_open("LEFT_IMAGE");
}

static const struct attempt attempts[] = {
	{ "image-read", "reads another VM's disk", VM_ROLES, image_read },
	{ "image-write", "writes to it", VM_ROLES, image_write },
	{ "image-rename", "renames it", VM_ROLES, image_rename },
	{ "image-chmod", "makes it everybody's", VM_ROLES, image_chmod },
	{ "log-read", "reads another VM's log", VM_ROLES, log_read },
	{ "log-forge", "adds a line to it", VM_ROLES, log_forge },
	{ "tpm-read", "reads another vTPM's state", VM_ROLES, tpm_read },
	{ "tpm-write", "writes to it", VM_ROLES, tpm_write },
	{ "run-list", "lists another VM's run directory", VM_ROLES, run_list },
	{ "run-plant", "makes a folder in it", VM_ROLES, run_plant },
	{ "host-read", "reads a file that is root's alone", VM_ROLES, host_read },
	{ "host-write", "writes to it", VM_ROLES, host_write },
	{ "host-handle", "opens another VM's log by its handle", VM_ROLES, host_handle },
	{ "root-write", "makes a folder in its root", VM_ROLES, root_write },
	{ "usr-write", "makes a file below /usr", VM_ROLES, usr_write },
	{ "left-open-file", "reads a host file that the launcher's caller left open", VM_ROLES,
	  left_open_file },
	{ "left-open-image", "reads another VM's disk that was left open", VM_ROLES,
	  left_open_image },
};

const struct class class_files = CLASS("files", attempts);
