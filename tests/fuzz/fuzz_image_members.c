/* Names of members: one that is taken is relative, has no "..", no empty part and no "." in it,
 * and is taken once. */
#include "image/members.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *path)
{
	if (path[0] == '/' || strstr(path, "//") != NULL || strlen(path) > MEMBER_PATH_MAX)
		abort();
	for (const char *at = path; *at != '\0';) {
		size_t n = strcspn(at, "/");
		if (n > MEMBER_NAME_MAX || (n == 2 && memcmp(at, "..", 2) == 0) ||
		    (n == 1 && at[0] == '.'))
			abort();
		at += n + (at[n] == '/');
		if (at[-1] == '/' && *at == '\0')
			abort();
	}
}

/* Each line is a name; its first character says of what kind. */
static void take(struct members *m, const char *line)
{
	char path[MEMBER_PATH_MAX + 1];
	struct err e = { 0 };
	enum member_kind kind = line[0] == 'd'	 ? MEMBER_FOLDER
				: line[0] == 'l' ? MEMBER_LINK
						 : MEMBER_FILE;

	if (line[0] == '\0' || member_path(line + 1, path, &e) < 0)
		return;
	check(path);
	if (path[0] == '\0' || members_add(m, path, kind, &e) < 0)
		return;
	if (members_kind(m, path) != kind || members_missing(m, path) != 0)
		abort();
	struct err again = { 0 };
	if (members_add(m, path, kind, &again) == 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct members *m = members_new();
	char *text = malloc(size + 1), *rest = text, *line;

	if (m == NULL || text == NULL)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	while ((line = strsep(&rest, "\n")) != NULL)
		take(m, line);
	free(text);
	members_free(m);
	return 0;
}
