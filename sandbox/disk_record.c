#include "sandbox/disk_record.h"

#include "sandbox/options.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static const char END[] = "end\n"; /* a file without it was not written to its end */

/* A file name may hold anything but NUL: what is not a printable character, and the escape itself,
 * is written as three octal digits, as in mounts(5). */
static bool is_plain(unsigned char c)
{
	return c > ' ' && c < 0x7f && c != '\\';
}

void disk_record_path(const char *path, char *out)
{
	for (; *path != '\0'; path++)
		if (is_plain((unsigned char)*path))
			*out++ = *path;
		else
			out += sprintf(out, "\\%03o", (unsigned)(unsigned char)*path);
	*out = '\0';
}

size_t disk_record_line(const struct disk_record *r, char *out)
{
	char path[DISK_RECORD_PATH];

	disk_record_path(r->path, path);
	int n = snprintf(out, DISK_RECORD_LINE, "%" PRIu32 ":%" PRIu32 " %" PRIu64 " %s %s\n",
			 r->major, r->minor, r->inode, r->original, path);
	return n < 0 ? 0 : (size_t)n;
}

/* ---- reading: what a crash left, so anything ---- */

/* Decimal digits up to the separator, which is taken too. */
static bool take_number(const char **at, const char *end, char separator, uint64_t max,
			uint64_t *out)
{
	const char *p = *at;
	uint64_t v = 0;

	while (p < end && *p >= '0' && *p <= '9') {
		unsigned digit = (unsigned)(*p - '0');
		if (v > (max - digit) / 10)
			return false;
		v = v * 10 + digit;
		p++;
	}
	/* Something, and without a leading zero. */
	if (p == *at || (p - *at > 1 && **at == '0') || p == end || *p != separator)
		return false;
	*at = p + 1;
	*out = v;
	return true;
}

/* The only label that images are taken with and changed: nothing else is ever put back. */
static bool is_original(const char *label)
{
	char cut[LABEL_MAX];
	struct label_parts p;

	snprintf(cut, sizeof(cut), "%s", label);
	return label_split(cut, &p) && *p.user != '\0' && *p.role != '\0' &&
	       strcmp(p.type, "pavise_image_t") == 0 && strcmp(p.level, "s0") == 0;
}

static bool take_label(const char **at, const char *end, char out[LABEL_MAX])
{
	size_t n = 0;

	for (; *at < end && is_plain((unsigned char)**at) && n < LABEL_MAX - 1; (*at)++)
		out[n++] = **at;
	out[n] = '\0';
	if (*at == end || **at != ' ')
		return false;
	(*at)++;
	return is_original(out);
}

static bool take_escaped(const char **at, const char *end, char *out)
{
	unsigned v = 0;

	if (end - *at < 4)
		return false;
	for (int i = 1; i < 4; i++) {
		char c = (*at)[i];
		if (c < '0' || c > '7')
			return false;
		v = v * 8 + (unsigned)(c - '0');
	}
	if (v == 0 || v > 0xff || is_plain((unsigned char)v))
		return false;
	*at += 4;
	*out = (char)v;
	return true;
}

static bool take_path(const char **at, const char *end, char out[PATH_MAX])
{
	size_t n = 0;

	while (*at < end && **at != '\n') {
		if (n == PATH_MAX - 1)
			return false;
		if (is_plain((unsigned char)**at))
			out[n++] = *(*at)++;
		else if (**at != '\\' || !take_escaped(at, end, &out[n++]))
			return false;
	}
	out[n] = '\0';
	if (*at == end || out[0] != '/')
		return false;
	(*at)++;
	return true;
}

int disk_record_next(const char **at, const char *end, struct disk_record *out)
{
	uint64_t major, minor;

	if ((size_t)(end - *at) == sizeof(END) - 1 && memcmp(*at, END, sizeof(END) - 1) == 0) {
		*at = end;
		return 0;
	}
	if (!take_number(at, end, ':', UINT32_MAX, &major) ||
	    !take_number(at, end, ' ', UINT32_MAX, &minor) ||
	    !take_number(at, end, ' ', UINT64_MAX, &out->inode) ||
	    !take_label(at, end, out->original) || !take_path(at, end, out->path))
		return -1;
	out->major = (uint32_t)major;
	out->minor = (uint32_t)minor;
	return 1;
}

int disk_record_read(int folder, char **text, size_t *size, struct err *e)
{
	const size_t max = (size_t)VM_DISK_MAX * DISK_RECORD_LINE + sizeof(END);
	int fd = openat(folder, DISK_RECORD_FILE, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	int rc = 0;

	*text = NULL;
	*size = 0;
	if (fd < 0)
		return errno == ENOENT ? 0 : err_errno(e, EX_HOST, errno, DISK_RECORD_FILE);
	char *data = malloc(max);
	ssize_t n = data == NULL ? -1 : 1;
	while (n > 0 && *size < max) {
		n = read(fd, data + *size, max - *size);
		*size += n > 0 ? (size_t)n : 0;
	}
	if (n < 0)
		rc = err_errno(e, EX_HOST, errno, DISK_RECORD_FILE);
	else if (*size == max)
		rc = err_set(e, EX_MALFORMED, DISK_RECORD_FILE ": not a record of images: remove it "
			     "when their labels are right");
	close(fd);
	if (rc != 0) {
		free(data);
		*size = 0;
		return rc;
	}
	*text = data;
	return 0;
}

/* ---- writing ---- */

static int describe(const struct disk *d, struct disk_record *r, struct err *e)
{
	char link[32];

	r->major = major(d->device);
	r->minor = minor(d->device);
	r->inode = d->inode;
	snprintf(r->original, LABEL_MAX, "%s", d->original);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", d->fd);
	ssize_t n = readlink(link, r->path, PATH_MAX - 1);
	/* Other than by such a path nobody would find it again. */
	if (n <= 0 || n == PATH_MAX - 1 || r->path[0] != '/')
		return err_set(e, EX_HOST, "disk: the kernel has no path for it: open it from "
			       "the host's root file system");
	r->path[n] = '\0';
	return 0;
}

static int write_all(int fd, const struct disk *disk, unsigned count, struct err *e)
{
	char line[DISK_RECORD_LINE];
	struct disk_record r;
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < count; i++) {
		if (disk[i].original[0] == '\0')
			continue;
		rc = describe(&disk[i], &r, e);
		size_t size = rc == 0 ? disk_record_line(&r, line) : 0;
		if (rc == 0 && write(fd, line, size) != (ssize_t)size)
			rc = err_errno(e, EX_HOST, errno, DISK_RECORD_FILE ": cannot be written");
	}
	if (rc == 0 && (write(fd, END, sizeof(END) - 1) != (ssize_t)(sizeof(END) - 1) ||
			fsync(fd) != 0))
		rc = err_errno(e, EX_HOST, errno, DISK_RECORD_FILE ": cannot be written");
	return rc;
}

/* The folder's own name has to be found again too. */
static int sync_above(int folder)
{
	int above = openat(folder, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = above < 0 || fsync(folder) != 0 ? -1 : fsync(above);

	if (above >= 0)
		close(above);
	return rc;
}

int disk_record_write(int folder, const struct disk *disk, unsigned count, struct err *e)
{
	bool any = false;

	for (unsigned i = 0; i < count; i++)
		any = any || disk[i].original[0] != '\0';
	if (!any)
		return 0;
	int fd = openat(folder, DISK_RECORD_FILE,
			O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_errno(e, EX_HOST, errno, DISK_RECORD_FILE ": cannot be made");
	int rc = write_all(fd, disk, count, e);
	close(fd);
	if (rc == 0 && sync_above(folder) != 0)
		rc = err_errno(e, EX_HOST, errno, DISK_RECORD_FILE ": not on the disk");
	return rc;
}

bool disk_record_there(int folder)
{
	struct stat st;

	return fstatat(folder, DISK_RECORD_FILE, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

void disk_record_remove(int folder)
{
	unlinkat(folder, DISK_RECORD_FILE, 0);
}
