#include "attest/x509/when.h"

#include "common/rfc3339.h"

#include <stdio.h>

bool when_from_asn1(const ASN1_TIME *t, time_t *out)
{
	struct tm tm = { 0 };

	if (t == NULL || ASN1_TIME_to_tm(t, &tm) != 1)
		return false;
	*out = timegm(&tm);
	return true;
}

bool when_parse(const char *text, time_t *out)
{
	int64_t t;

	if (!rfc3339_parse(text, &t))
		return false;
	*out = (time_t)t;
	return true;
}

void when_text(time_t t, char out[WHEN_TEXT_SIZE])
{
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL || tm.tm_year < -1900 || tm.tm_year > 9999 - 1900 ||
	    strftime(out, WHEN_TEXT_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		snprintf(out, WHEN_TEXT_SIZE, "?");
}
