#include "guest/modules.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static int visible(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

static int insert(int folder, const char *name, struct err *e)
{
	int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_errno(e, EX_HOST, errno, "module %s", name);
	long r = syscall(SYS_finit_module, fd, "", 0);
	int cause = errno;
	close(fd);
	if (r == 0 || cause == EEXIST || cause == ENODEV)
		return 0;
	return err_errno(e, EX_HOST, cause, "module %s: the kernel refuses it", name);
}

int modules_load(const char *folder, struct err *e)
{
	struct dirent **list = NULL;
	int rc = 0, n = scandir(folder, &list, visible, alphasort);

	if (n < 0)
		return errno == ENOENT ? 0 : err_errno(e, EX_HOST, errno, "%s", folder);
	int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		rc = err_errno(e, EX_HOST, errno, "%s", folder);
	for (int i = 0; i < n; i++) {
		if (rc == 0)
			rc = insert(dir, list[i]->d_name, e);
		free(list[i]);
	}
	free(list);
	if (dir >= 0)
		close(dir);
	return rc;
}
