#include "sandbox/memfds.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U /* Linux 6.3 */
#endif

#define MEMFD_FLAGS (MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL)

static int copy_bytes(const char *what, int from, int to, size_t size, struct err *e)
{
	char buffer[65536];
	size_t done = 0;

	while (done < size) {
		size_t want = size - done < sizeof(buffer) ? size - done : sizeof(buffer);
		ssize_t n = pread(from, buffer, want, (off_t)done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_set(e, EX_HOST, "%s: it changed or failed while being read: "
				       "try again", what);
		if (write(to, buffer, (size_t)n) != n)
			return err_errno(e, EX_HOST, errno, "%s: no memory for its copy", what);
		done += (size_t)n;
	}
	return 0;
}

static int plan_size(int from, size_t *size, struct err *e)
{
	struct stat st;

	if (fstat(from, &st) != 0)
		return err_errno(e, EX_USAGE_ERROR, errno, "plan: descriptor %d", from);
	if (!S_ISREG(st.st_mode))
		return err_set(e, EX_USAGE_ERROR, "plan: not a regular file: give what pavise "
			       "measure --plan wrote");
	if (st.st_size <= 0 || (uint64_t)st.st_size > PLAN_FILE_MAX)
		return err_set(e, EX_MALFORMED, "plan: %lld bytes: give what pavise measure --plan "
			       "wrote", (long long)st.st_size);
	*size = (size_t)st.st_size;
	return 0;
}

/* The VMM is to get a descriptor that can only read: its domain may not write a plan. */
static int reopen_readonly(const char *what, int *fd, struct err *e)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", *fd);
	int readonly = open(path, O_RDONLY | O_CLOEXEC);
	if (readonly < 0)
		return err_errno(e, EX_HOST, errno, "%s: its copy cannot be opened for reading",
				 what);
	close(*fd);
	*fd = readonly;
	return 0;
}

/* Copies, seals; *fd is read-only then, or closed and -1. */
static int copy_sealed(const char *what, int from, size_t size, int *fd, struct err *e)
{
	char name[32];
	int rc;

	snprintf(name, sizeof(name), "pavise-%.20s", what);
	*fd = memfd_create(name, MEMFD_FLAGS);
	if (*fd < 0)
		return err_errno(e, EX_HOST, errno, "memfd_create (Linux 6.3 or newer is needed)");
	rc = copy_bytes(what, from, *fd, size, e);
	if (rc == 0 && fcntl(*fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW |
			     F_SEAL_SEAL) != 0)
		rc = err_errno(e, EX_HOST, errno, "%s: its copy cannot be sealed", what);
	if (rc == 0)
		rc = reopen_readonly(what, fd, e);
	if (rc != 0) {
		close(*fd);
		*fd = -1;
	}
	return rc;
}

int small_copy_make(const char *what, int from, size_t least, size_t most, int *fd, struct err *e)
{
	struct stat st;

	*fd = -1;
	if (fstat(from, &st) != 0 || !S_ISREG(st.st_mode))
		return err_set(e, EX_USAGE_ERROR, "%s: not a regular file: name one", what);
	if (least == most && st.st_size != (off_t)least)
		return err_set(e, EX_MALFORMED, "%s: %lld bytes, not %zu: make it again", what,
			       (long long)st.st_size, least);
	if (st.st_size < (off_t)least || st.st_size > (off_t)most)
		return err_set(e, EX_MALFORMED, "%s: %lld bytes, not %zu to %zu: make it again",
			       what, (long long)st.st_size, least, most);
	return copy_sealed(what, from, (size_t)st.st_size, fd, e);
}

int plan_copy_make(int from, struct plan_copy *out, struct err *e)
{
	int rc;

	*out = (struct plan_copy){ .fd = -1 };
	if ((rc = plan_size(from, &out->size, e)) != 0)
		return rc;
	rc = copy_sealed("plan", from, out->size, &out->fd, e);
	if (rc == 0) {
		out->data = mmap(NULL, out->size, PROT_READ, MAP_PRIVATE, out->fd, 0);
		if (out->data == MAP_FAILED) {
			out->data = NULL;
			rc = err_errno(e, EX_HOST, errno, "plan: its copy cannot be mapped");
		}
	}
	if (rc == 0)
		rc = plan_parse("plan", out->data, out->size, &out->plan, e);
	if (rc != 0)
		plan_copy_free(out);
	return rc;
}

void plan_copy_free(struct plan_copy *p)
{
	if (p->data != NULL)
		munmap(p->data, p->size);
	if (p->fd >= 0)
		close(p->fd);
	*p = (struct plan_copy){ .fd = -1 };
}

int ram_make(uint64_t size, int *fd, struct err *e)
{
	*fd = memfd_create("pavise-ram", MEMFD_FLAGS);
	if (*fd < 0)
		return err_errno(e, EX_HOST, errno, "memfd_create (Linux 6.3 or newer is needed)");
	if (ftruncate(*fd, (off_t)size) == 0 &&
	    fcntl(*fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
		return 0;
	int rc = err_errno(e, EX_HOST, errno, "guest memory: cannot be sized and sealed");
	close(*fd);
	*fd = -1;
	return rc;
}
