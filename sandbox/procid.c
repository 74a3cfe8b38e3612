#include "sandbox/procid.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool procid_parse(const char *text, uint64_t *start)
{
	/* The second field is the command in parentheses and may hold anything, ')' too: fields
	 * are counted from the last one. State is field 3, the start time field 22. */
	const char *after = strrchr(text, ')');
	if (after == NULL || after[1] != ' ' || after[2] == 'Z' || after[2] == 'X')
		return false;
	const char *field = after + 2;
	for (int number = 3; number < 22; number++) {
		field = strchr(field, ' ');
		if (field == NULL)
			return false;
		field++;
	}
	*start = strtoull(field, NULL, 10);
	return field[0] >= '0' && field[0] <= '9';
}

bool procid_start(pid_t pid, uint64_t *start)
{
	char path[32], text[1024];

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ssize_t n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return false;
	text[n] = '\0';
	return procid_parse(text, start);
}

bool procid_boot(char out[PROCID_BOOT])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, out, PROCID_BOOT - 1);

	if (fd >= 0)
		close(fd);
	out[n > 0 ? n : 0] = '\0';
	return n == PROCID_BOOT - 1;
}
