#include "sandbox/procid.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool procid_start(pid_t pid, uint64_t *start)
{
	char path[32], text[1024];
	unsigned long long ticks;
	char state;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ssize_t n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return false;
	text[n] = '\0';
	/* The second field is the command in parentheses and may hold anything, ')' too: fields
	 * are counted from the last one. State is field 3, the start time field 22. */
	const char *after = strrchr(text, ')');
	if (after == NULL ||
	    sscanf(after + 1, " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d "
			      "%*d %*d %*d %llu", &state, &ticks) != 2)
		return false;
	if (state == 'Z' || state == 'X')
		return false;
	*start = ticks;
	return true;
}
