#include "sandbox/names.h"

#include <stdbool.h>
#include <string.h>

static bool in_alphabet(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

int name_check(const char *name, struct err *e)
{
	size_t length = strnlen(name, NAME_MAX_LENGTH + 1);
	bool good = length >= 1 && length <= NAME_MAX_LENGTH;

	for (size_t i = 0; good && i < length; i++)
		good = in_alphabet(name[i]);
	if (good)
		return 0;
	return err_set(e, EX_USAGE_ERROR,
		       "name '%.40s': not 1 to 32 characters of a-z, 0-9 and '-': choose another",
		       name);
}
