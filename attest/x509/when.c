#include "attest/x509/when.h"

#include <stdio.h>
#include <string.h>

bool when_from_asn1(const ASN1_TIME *t, time_t *out)
{
	struct tm tm = { 0 };

	if (t == NULL || ASN1_TIME_to_tm(t, &tm) != 1)
		return false;
	*out = timegm(&tm);
	return true;
}

static int number(const char *digits, unsigned n)
{
	int v = 0;

	for (unsigned i = 0; i < n; i++)
		v = v * 10 + (digits[i] - '0');
	return v;
}

bool when_parse(const char *text, time_t *out)
{
	static const char form[] = "0000-00-00T00:00:00Z";

	if (strlen(text) != sizeof(form) - 1)
		return false;
	for (size_t i = 0; i < sizeof(form) - 1; i++)
		if (form[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
			return false;
	struct tm tm = {
		.tm_year = number(text, 4) - 1900,
		.tm_mon = number(text + 5, 2) - 1,
		.tm_mday = number(text + 8, 2),
		.tm_hour = number(text + 11, 2),
		.tm_min = number(text + 14, 2),
		.tm_sec = number(text + 17, 2),
	};
	/* timegm makes 1 March of 30 February: a day that exists comes back as it was. */
	struct tm same = tm;
	time_t t = timegm(&same);
	if (same.tm_year != tm.tm_year || same.tm_mon != tm.tm_mon || same.tm_mday != tm.tm_mday ||
	    same.tm_hour != tm.tm_hour || same.tm_min != tm.tm_min || same.tm_sec != tm.tm_sec)
		return false;
	*out = t;
	return true;
}

void when_text(time_t t, char out[WHEN_TEXT_SIZE])
{
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL || tm.tm_year < -1900 || tm.tm_year > 9999 - 1900 ||
	    strftime(out, WHEN_TEXT_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		snprintf(out, WHEN_TEXT_SIZE, "?");
}
