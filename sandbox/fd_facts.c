#include "sandbox/fd_facts.h"

#include "sandbox/proc_state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#define ANONYMOUS "anon_inode:"
#define KVM_DEVICE makedev(10, 232) /* Documentation/admin-guide/devices.txt */
#define NULL_DEVICE makedev(1, 3)

void file_id(const struct stat *st, char out[FILE_ID_MAX])
{
	snprintf(out, FILE_ID_MAX, "%llx:%llx", (unsigned long long)st->st_dev,
		 (unsigned long long)st->st_ino);
}

/* "anon_inode:[eventfd]" and "anon_inode:kvm-vcpu:3": the name alone. The kernel's choice: no path
 * begins so. */
static void anonymous_kind(const char *name, char out[FD_KIND_MAX])
{
	size_t n = 0;

	name += *name == '[';
	while (n < FD_KIND_MAX - 1 && name[n] != '\0' && name[n] != ']' && name[n] != ':')
		n++;
	memcpy(out, name, n);
	out[n] = '\0';
}

static const char *device_kind(dev_t device)
{
	return device == KVM_DEVICE ? "kvm" : device == NULL_DEVICE ? "null" : "device";
}

void fd_kind(const struct stat *st, const char *link, char out[FD_KIND_MAX])
{
	const char *kind = "other";

	if (strncmp(link, ANONYMOUS, sizeof(ANONYMOUS) - 1) == 0) {
		anonymous_kind(link + sizeof(ANONYMOUS) - 1, out);
		return;
	}
	switch (st->st_mode & S_IFMT) {
	case S_IFREG: kind = strncmp(link, "/memfd:", 7) == 0 ? "memfd" : "regular"; break;
	case S_IFDIR: kind = "directory"; break;
	case S_IFSOCK: kind = "socket"; break;
	case S_IFIFO: kind = "pipe"; break;
	case S_IFCHR: kind = device_kind(st->st_rdev); break;
	default: break;
	}
	snprintf(out, FD_KIND_MAX, "%s", kind);
}

bool fd_access(const char *fdinfo, char *out)
{
	const char *at = strstr(fdinfo, "flags:\t");
	char *end;

	if (at == NULL || (at != fdinfo && at[-1] != '\n'))
		return false;
	unsigned long flags = strtoul(at + 7, &end, 8);
	if (end == at + 7 || *end != '\n')
		return false;
	const char *text = "r";
	if ((flags & O_PATH) != 0)
		text = "-";
	else if ((flags & O_ACCMODE) == O_RDWR)
		text = "rw";
	else if ((flags & O_ACCMODE) == O_WRONLY)
		text = (flags & O_APPEND) != 0 ? "a" : "w";
	snprintf(out, 4, "%s", text);
	return true;
}

/* No getxattrat before Linux 6.13: by way of our own descriptor of the process's folder. */
int fd_label(int process, unsigned number, char *out, struct err *e)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d/fd/%u", process, number);
	ssize_t n = getxattr(path, "security.selinux", out, LABEL_MAX - 1);
	if (n < 0)
		return err_errno(e, EX_HOST, errno, "descriptor %u: its label", number);
	out[n] = '\0';
	return 0;
}

int fd_facts_read(int process, unsigned number, bool label, struct fd_facts *out, struct err *e)
{
	char path[32], link[256], info[4096];
	struct stat st;

	*out = (struct fd_facts){ 0 };
	snprintf(path, sizeof(path), "fd/%u", number);
	/* A longer text is that of a file's path: what begins it is enough. */
	ssize_t n = readlinkat(process, path, link, sizeof(link) - 1);
	if (n < 0 || fstatat(process, path, &st, 0) != 0)
		return err_errno(e, errno == ENOENT ? EX_BUSY : EX_HOST, errno, "descriptor %u",
				 number);
	link[n] = '\0';
	snprintf(path, sizeof(path), "fdinfo/%u", number);
	n = proc_read(process, path, info, sizeof(info));
	/* Its first lines are enough of a long one (epoll's). */
	if ((n < 0 && n != -EFBIG) || !fd_access(info, out->access))
		return err_set(e, n == -ENOENT ? EX_BUSY : EX_HOST, "descriptor %u: its flags",
			       number);
	fd_kind(&st, link, out->kind);
	file_id(&st, out->file);
	return label ? fd_label(process, number, out->label, e) : 0;
}
