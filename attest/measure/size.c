#include "attest/measure/size.h"

#include "common/checked.h"

#include <string.h>

int size_parse(const char *what, const char *text, uint64_t *out, struct err *e)
{
	static const char units[] = "KMG";
	const char *p = text;
	uint64_t v = 0;

	for (; *p >= '0' && *p <= '9'; p++)
		if (!ck_mul_u64(v, 10, &v) || !ck_add_u64(v, (uint64_t)(*p - '0'), &v))
			return err_set(e, EX_USAGE_ERROR, "%s: %s: too large", what, text);
	if (p == text || (*p != '\0' && (strchr(units, *p) == NULL || p[1] != '\0')))
		return err_set(e, EX_USAGE_ERROR,
			       "%s: %s: not a size: give a number with K, M or G, as 512M", what,
			       text);
	for (const char *u = units; *p != '\0' && u <= strchr(units, *p); u++)
		if (!ck_mul_u64(v, 1024, &v))
			return err_set(e, EX_USAGE_ERROR, "%s: %s: too large", what, text);
	*out = v;
	return 0;
}
