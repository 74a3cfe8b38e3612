#include "cli/command.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

void command_add(struct command *c, const char *fmt, ...)
{
	char text[PATH_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (c->argc + 1 < COMMAND_ARG_MAX)
		c->argv[c->argc++] = strdup(text); /* lives until exec */
}

void command_pass(struct command *c, const char *option, const char *value)
{
	command_add(c, "--%s", option);
	command_add(c, "%s", value);
}

/* Not through a link in the last place: in a folder others may write to it could lead anywhere.
 * O_NONBLOCK: a FIFO must not hold us up. */
int command_open(const char *path, int flags, int *fd, struct err *e)
{
	struct stat st;

	*fd = open(path, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
	if (*fd < 0 && errno == ELOOP)
		return err_set(e, EX_USAGE_ERROR, "%s: a symbolic link: name the file itself", path);
	if (*fd < 0)
		return err_errno(e, EX_USAGE_ERROR, errno, "%s: cannot be opened", path);
	if (fstat(*fd, &st) != 0 || !S_ISREG(st.st_mode))
		return err_set(e, EX_USAGE_ERROR, "%s: not a regular file: name one", path);
	/* Passed on: O_CLOEXEC was for the time in between. */
	if (fcntl(*fd, F_SETFL, flags & O_APPEND) != 0 || fcntl(*fd, F_SETFD, 0) != 0)
		return err_errno(e, EX_HOST, errno, "%s", path);
	return 0;
}

int command_file(struct command *c, const char *option, const char *path, struct err *e)
{
	int fd, rc = command_open(path, O_RDONLY, &fd, e);

	command_add(c, "--%s-fd", option);
	command_add(c, "%d", fd);
	return rc;
}
