#include "common/args.h"

#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>

const char *args_value(const char *arg, const char *key)
{
	size_t n = strlen(key);

	if (strncmp(arg, key, n) != 0 || arg[n] != '=')
		return NULL;
	return arg + n + 1;
}

int args_u64(const char *key, const char *value, uint64_t max, uint64_t *out, struct err *e)
{
	uint64_t v = 0;

	if (value[0] == '\0' || (value[0] == '0' && value[1] != '\0'))
		return err_set(e, EX_USAGE_ERROR, "%s=%s: not a plain decimal number", key, value);
	for (const char *p = value; *p != '\0'; p++) {
		if (*p < '0' || *p > '9')
			return err_set(e, EX_USAGE_ERROR, "%s=%s: not a plain decimal number", key,
				       value);
		if (__builtin_mul_overflow(v, 10u, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(*p - '0'), &v) || v > max)
			return err_set(e, EX_USAGE_ERROR, "%s=%s: too large", key, value);
	}
	*out = v;
	return 0;
}

int args_fd(const char *key, const char *value, int *out, struct err *e)
{
	uint64_t fd = 0;
	int r = args_u64(key, value, INT_MAX, &fd, e);

	if (r < 0)
		return r;
	if (fcntl((int)fd, F_GETFD) < 0)
		return err_set(e, EX_USAGE_ERROR, "%s=%s: no such descriptor", key, value);
	*out = (int)fd;
	return 0;
}
