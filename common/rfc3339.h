/* Times as RFC 3339 writes them. */
#ifndef PAVISE_COMMON_RFC3339_H
#define PAVISE_COMMON_RFC3339_H

#include <stdbool.h>
#include <stdint.h>

/* "2025-06-20T08:00:00Z", "2025-06-20T10:00:00.5+02:00" (a fraction is cut off): *out in seconds
 * since the epoch. False, and *out untouched, for any other form, a day that no month has, or a
 * leap second (POSIX time has none). */
bool rfc3339_parse(const char *text, int64_t *out);

#endif
