#include "model/state_folder.h"

#include "common/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Ours, and nobody else's to touch. */
static int check_private(const char *what, const char *path, int fd, mode_t type, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return err_errno(e, EX_HOST, errno, "%s %s", what, path);
	if ((st.st_mode & S_IFMT) != type)
		return err_set(e, EX_HOST, "%s %s: of the wrong kind: name another", what, path);
	if (st.st_uid != geteuid() || (st.st_mode & 077) != 0)
		return err_set(e, EX_HOST, "%s %s: owner %u, mode %03o: others could read or "
			       "change it: chown to %u, chmod go=", what, path, st.st_uid,
			       st.st_mode & 0777u, geteuid());
	return 0;
}

int state_folder_open(const char *folder, int make, int *fd, struct err *e)
{
	if (make && mkdir(folder, 0700) != 0 && errno != EEXIST)
		return err_errno(e, EX_HOST, errno, "state folder %s: cannot be made", folder);
	*fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*fd < 0)
		return err_errno(e, EX_HOST, errno, "state folder %s", folder);
	int rc = check_private("state folder", folder, *fd, S_IFDIR, e);
	if (rc == 0 && flock(*fd, LOCK_EX) != 0)
		rc = err_errno(e, EX_HOST, errno, "state folder %s: cannot be locked", folder);
	if (rc != 0)
		close(*fd);
	return rc;
}

int state_folder_path(const char *folder, const char *name, char out[PATH_MAX], struct err *e)
{
	int n = snprintf(out, PATH_MAX, "%s/%s", folder, name);

	if (n > 0 && n < PATH_MAX)
		return 0;
	return err_set(e, EX_USAGE_ERROR, "%.40s: path too long", folder);
}

int state_folder_look(const char *folder, int dir, const char *name, struct err *e)
{
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return err_errno(e, EX_HOST, errno, "%s/%s", folder, name);
	int rc = check_private("chip file", name, fd, S_IFREG, e);
	close(fd);
	return rc == 0 ? 1 : rc;
}

int state_folder_write(const char *folder, const char *name, const char *what, const void *data,
		       size_t size, struct err *e)
{
	char path[PATH_MAX];
	int rc = state_folder_path(folder, name, path, e);

	return rc == 0 ? file_write(what, path, data, size, 0600, e) : rc;
}
