#include "devices/devlog.h"

#include <stdio.h>
#include <unistd.h>

static void put(const struct devlog *log, const char *text)
{
	char line[600];
	int n = snprintf(line, sizeof(line), "%s: %s\n", log->name, text);

	if (n < 0)
		return;
	size_t size = (size_t)n;
	if (size >= sizeof(line)) {
		size = sizeof(line) - 1;
		line[size - 1] = '\n';
	}
	/* A full disk must not stop the device: a lost line is lost. */
	ssize_t written = write(log->fd, line, size);
	(void)written;
}

void devlog_line(struct devlog *log, const char *text)
{
	if (log->fd < 0 || log->lines >= DEVLOG_LINES_MAX)
		return;
	log->lines++;
	put(log, log->lines < DEVLOG_LINES_MAX ? text : "too many lines: nothing more is logged");
}
