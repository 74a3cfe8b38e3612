#include "common/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int read_all(const char *what, const char *path, int fd, size_t size, char *data,
		    struct err *e)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = read(fd, data + done, size - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(e, EX_HOST, errno, "%s %s: cannot read", what, path);
		if (n == 0)
			return err_set(e, EX_HOST, "%s %s: shrank while it was read: try again",
				       what, path);
		done += (size_t)n;
	}
	return 0;
}

static int read_open(const char *what, const char *path, int fd, size_t max, int allow_empty,
		     void **data, size_t *size, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_errno(e, EX_HOST, errno, "%s %s: cannot stat", what, path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, EX_MALFORMED, "%s %s: not a regular file", what, path);
	if (st.st_size == 0 && !allow_empty)
		return err_set(e, EX_MALFORMED, "%s %s: the file is empty", what, path);
	if ((uint64_t)st.st_size > max)
		return err_set(e, EX_MALFORMED, "%s %s: %lld bytes, at most %zu are allowed", what,
			       path, (long long)st.st_size, max);
	size_t n = (size_t)st.st_size;
	char *buffer = malloc(n + 1);
	if (buffer == NULL)
		return err_set(e, EX_HOST, "%s %s: out of memory for %zu bytes", what, path, n);
	int r = read_all(what, path, fd, n, buffer, e);
	if (r < 0) {
		free(buffer);
		return r;
	}
	buffer[n] = '\0';
	*data = buffer;
	*size = n;
	return 0;
}

int file_read(const char *what, const char *path, size_t max, int allow_empty, void **data,
	      size_t *size, struct err *e)
{
	/* O_NONBLOCK: a FIFO given by mistake must not hang us before the type check. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return err_errno(e, EX_HOST, errno, "%s %s: cannot open", what, path);
	int r = read_open(what, path, fd, max, allow_empty, data, size, e);
	close(fd);
	return r;
}

static int write_all(int fd, const char *data, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = write(fd, data + done, size - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		done += (size_t)n;
	}
	return fsync(fd) < 0 ? -errno : 0;
}

int file_write(const char *what, const char *path, const void *data, size_t size, unsigned mode,
	       struct err *e)
{
	char temporary[4096];
	int n = snprintf(temporary, sizeof(temporary), "%s.new-%ld", path, (long)getpid());

	if (n < 0 || (size_t)n >= sizeof(temporary))
		return err_set(e, EX_USAGE_ERROR, "%s %s: path too long", what, path);
	int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return err_errno(e, EX_HOST, errno, "%s %s: cannot create", what, path);
	int r = write_all(fd, data, size);
	if (close(fd) < 0 && r == 0)
		r = -errno;
	if (r == 0 && rename(temporary, path) < 0)
		r = -errno;
	if (r < 0) {
		unlink(temporary);
		return err_errno(e, EX_HOST, -r, "%s %s: cannot write", what, path);
	}
	return 0;
}
