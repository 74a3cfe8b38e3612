/* Any text as the record of a dead VM's images: what is taken from it is bounded, is an absolute path
 * with the one label that may be put back, and is written as it was read. */
#include "sandbox/disk_record.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = malloc(size > 0 ? size : 1), line[DISK_RECORD_LINE]; /* one byte too many is seen */
	struct disk_record r;
	int got = 1;

	if (copy == NULL)
		return 0;
	memcpy(copy, data, size);
	const char *at = copy, *end = copy + size;
	while (got == 1) {
		const char *from = at;
		got = disk_record_next(&at, end, &r);
		if (at > end || (got == 0 && at != end))
			abort();
		if (got != 1)
			break;
		size_t n = disk_record_line(&r, line);
		if (n != (size_t)(at - from) || memcmp(line, from, n) != 0 || r.path[0] != '/' ||
		    strnlen(r.path, PATH_MAX) == PATH_MAX || strchr(r.original, ' ') != NULL ||
		    strstr(r.original, ":pavise_image_t:s0") == NULL)
			abort();
	}
	free(copy);
	return 0;
}
