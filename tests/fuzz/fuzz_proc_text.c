/* Maps, limits and mounts of a process; the first byte says which. Names in them are its choice. */
#include "sandbox/audit/proc_text.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk_maps(const char *text)
{
	struct mapping m;

	for (const char *at = text; at != NULL && *at != '\0';)
		if (mapping_next(&at, &m) && (m.name < text || m.name + m.name_size >= at ||
					      memchr(m.name, '\n', m.name_size) != NULL))
			abort();
}

static void walk_mounts(const char *text)
{
	struct mounted m;

	for (const char *at = text; at != NULL && *at != '\0';)
		if (mounted_next(&at, &m) && (m.point[0] == '\0' || m.type[0] == '\0'))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t soft, hard;

	if (size < 1)
		return 0;
	char *text = strndup((const char *)data + 1, size - 1);
	if (text == NULL)
		return 0;
	if (data[0] % 3 == 0)
		walk_maps(text);
	else if (data[0] % 3 == 1)
		walk_mounts(text);
	else
		(void)limit_find(text, "Max open files", &soft, &hard);
	free(text);
	return 0;
}
