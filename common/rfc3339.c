#include "common/rfc3339.h"

#include <stddef.h>
#include <string.h>
#include <time.h>

/* n digits at *text, which moves behind them; -1 for anything else. */
static int digits(const char **text, unsigned n)
{
	int v = 0;

	for (unsigned i = 0; i < n; i++, (*text)++) {
		if (**text < '0' || **text > '9')
			return -1;
		v = v * 10 + (**text - '0');
	}
	return v;
}

static bool take(const char **text, const char *any)
{
	if (**text == '\0' || strchr(any, **text) == NULL)
		return false;
	(*text)++;
	return true;
}

/* "Z", "+02:00": seconds east of UTC. */
static bool offset(const char **text, int *out)
{
	int sign = **text == '-' ? -1 : 1;

	*out = 0;
	if (take(text, "Zz"))
		return true;
	if (!take(text, "+-"))
		return false;
	int hours = digits(text, 2);
	bool colon = take(text, ":");
	int minutes = colon ? digits(text, 2) : -1;
	*out = sign * (hours * 3600 + minutes * 60);
	return hours >= 0 && hours <= 23 && minutes >= 0 && minutes <= 59;
}

static bool fraction(const char **text)
{
	if (!take(text, "."))
		return true;
	if (digits(text, 1) < 0)
		return false;
	while (**text >= '0' && **text <= '9')
		(*text)++;
	return true;
}

bool rfc3339_parse(const char *text, int64_t *out)
{
	static const unsigned widths[] = { 4, 2, 2, 2, 2, 2 };
	static const char *const after[] = { "-", "-", "Tt ", ":", ":", NULL };
	int v[6], east = 0;

	for (size_t i = 0; i < 6; i++) {
		v[i] = digits(&text, widths[i]);
		if (v[i] < 0 || (after[i] != NULL && !take(&text, after[i])))
			return false;
	}
	if (!fraction(&text) || !offset(&text, &east) || *text != '\0' || v[3] > 23 || v[4] > 59 ||
	    v[5] > 59)
		return false;
	struct tm tm = { .tm_year = v[0] - 1900,
			 .tm_mon = v[1] - 1,
			 .tm_mday = v[2],
			 .tm_hour = v[3],
			 .tm_min = v[4],
			 .tm_sec = v[5] };
	time_t t = timegm(&tm);
	/* timegm makes 31 April the first of May. */
	if (tm.tm_mon != v[1] - 1 || tm.tm_mday != v[2])
		return false;
	*out = (int64_t)t - east;
	return true;
}
