#include "sandbox/audit/proc_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Digits of this base up to the character `end`, which is taken too. */
static bool number(const char **at, int base, char end, uint64_t *out)
{
	char *stop;

	if (**at == '-' || **at == '+' || **at == ' ' || **at == '\t' || **at == '\n')
		return false;
	*out = strtoull(*at, &stop, base);
	if (stop == *at || *stop != end)
		return false;
	*at = stop + 1;
	return true;
}

static bool permissions(const char **at, struct mapping *out)
{
	const char *p = *at;

	if (strnlen(p, 5) < 5 || p[4] != ' ' || strchr("r-", p[0]) == NULL ||
	    strchr("w-", p[1]) == NULL || strchr("x-", p[2]) == NULL || strchr("ps", p[3]) == NULL)
		return false;
	out->write = p[1] == 'w';
	out->execute = p[2] == 'x';
	out->shared = p[3] == 's';
	*at = p + 5;
	return true;
}

/* START-END PERMISSIONS OFFSET MAJOR:MINOR INODE NAME, the name behind blanks and up to the end of
 * the line: the kernel writes a newline in it as \012. */
bool mapping_next(const char **at, struct mapping *out)
{
	const char *p = *at;
	uint64_t start, end, offset, major, minor;
	char *stop;

	*out = (struct mapping){ 0 };
	*at = NULL;
	if (p == NULL || !number(&p, 16, '-', &start) || !number(&p, 16, ' ', &end) ||
	    start >= end || !permissions(&p, out) || !number(&p, 16, ' ', &offset) ||
	    !number(&p, 16, ':', &major) || !number(&p, 16, ' ', &minor) || major > 0xfff ||
	    minor > 0xfffff || *p < '0' || *p > '9')
		return false;
	out->major = (unsigned)major;
	out->minor = (unsigned)minor;
	out->inode = strtoull(p, &stop, 10);
	const char *line_end = strchr(stop, '\n');
	if (line_end == NULL || (*stop != ' ' && stop != line_end))
		return false;
	while (stop < line_end && *stop == ' ')
		stop++;
	out->name = stop;
	out->name_size = (size_t)(line_end - stop);
	*at = line_end + 1;
	return true;
}

static bool limit_value(const char **at, uint64_t *out)
{
	static const char unlimited[] = "unlimited";
	char *stop;

	*at += strspn(*at, " ");
	if (strncmp(*at, unlimited, sizeof(unlimited) - 1) == 0) {
		*out = UINT64_MAX;
		*at += sizeof(unlimited) - 1;
		return true;
	}
	if (**at < '0' || **at > '9')
		return false;
	*out = strtoull(*at, &stop, 10);
	*at = stop;
	return true;
}

bool limit_find(const char *text, const char *name, uint64_t *soft, uint64_t *hard)
{
	const size_t n = strlen(name);

	for (const char *line = text; line != NULL && *line != '\0';) {
		if (strncmp(line, name, n) == 0 && line[n] == ' ') {
			const char *at = line + n;
			return limit_value(&at, soft) && limit_value(&at, hard);
		}
		line = strchr(line, '\n');
		line = line == NULL ? NULL : line + 1;
	}
	return false;
}

/* The next word of the line into out, cut to size; false at the line's end. */
static bool word(const char **at, char *out, size_t size)
{
	size_t n = strcspn(*at, " \n");

	snprintf(out, size, "%.*s", (int)(n < size ? n : size - 1), *at);
	*at += n;
	if (n == 0)
		return false;
	*at += **at == ' ';
	return true;
}

/* ID PARENT MAJOR:MINOR ROOT POINT OPTIONS [FIELD]... - TYPE SOURCE SUPER (proc(5)). Blanks in
 * names are written as \040. */
bool mounted_next(const char **at, struct mounted *out)
{
	const char *p = *at;
	char skip[8];
	bool good = true;

	*out = (struct mounted){ 0 };
	*at = NULL;
	if (p == NULL)
		return false;
	for (int i = 0; i < 4; i++)
		good = good && word(&p, skip, sizeof(skip));
	good = good && word(&p, out->point, sizeof(out->point)) &&
	       word(&p, out->options, sizeof(out->options));
	while (good && strcmp(skip, "-") != 0)
		good = word(&p, skip, sizeof(skip));
	good = good && word(&p, out->type, sizeof(out->type));
	p = good ? strchr(p, '\n') : NULL;
	*at = p == NULL ? NULL : p + 1;
	return p != NULL;
}
