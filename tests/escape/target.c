#include "tests/escape/attempt.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READ_MAX 65536u

const unsigned char code_bytes[6] = { 0xb8, EXECUTED, 0, 0, 0, 0xc3 }; /* mov $42, %eax; ret */

static char **arguments;
static enum role role_of_this;

const char *target(const char *name)
{
	char variable[64];

	snprintf(variable, sizeof(variable), "ESCAPE_%s", name);
	const char *value = getenv(variable);
	return value == NULL ? "" : value;
}

long target_number(const char *name)
{
	const char *value = target(name);

	return *value == '\0' ? -1 : strtol(value, NULL, 0);
}

void payload_arguments(char **argv, enum role role)
{
	arguments = argv;
	role_of_this = role;
}

enum role own_role(void)
{
	return role_of_this;
}

int own_descriptor(const char *key)
{
	const size_t length = strlen(key);

	for (char **a = arguments; a != NULL && *a != NULL; a++)
		if (strncmp(*a, key, length) == 0 && (*a)[length] == '=')
			return (int)strtol(*a + length + 1, NULL, 10);
	return -1;
}

bool has_secret(const void *data, size_t size)
{
	const char *text = data, *backwards = target("TERCES");
	const size_t length = strlen(backwards);

	if (length == 0)
		return false;
	for (size_t at = 0; at + length <= size; at++) {
		size_t same = 0;
		while (same < length && text[at + same] == backwards[length - 1 - same])
			same++;
		if (same == length)
			return true;
	}
	return false;
}

bool reads_secret(int fd)
{
	static char data[READ_MAX];
	size_t have = 0;
	ssize_t n = 0;

	if (fd < 0)
		return false;
	while (have < sizeof(data) && (n = read(fd, data + have, sizeof(data) - have)) > 0)
		have += (size_t)n;
	int cause = n < 0 ? errno : ENODATA;
	close(fd);
	return has_secret(data, have) || stopped(cause);
}

bool stopped(int cause)
{
	errno = cause;
	return false;
}

bool code_runs(void *code)
{
	int (*function)(void);

	memcpy(&function, &code, sizeof(function));
	return function() == EXECUTED;
}
