/* Times as certificates (ASN.1) and collateral (RFC 3339) have them, in seconds since the epoch. */
#ifndef PAVISE_ATTEST_X509_WHEN_H
#define PAVISE_ATTEST_X509_WHEN_H

#include <openssl/asn1.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#define WHEN_TEXT_SIZE 32u

/* False: not a time, or NULL. */
bool when_from_asn1(const ASN1_TIME *t, time_t *out);

/* common/rfc3339.h into a time_t. */
bool when_parse(const char *text, time_t *out);

/* RFC 3339, in UTC and to the second: "2026-03-16T22:06:09Z"; "?" for a year that has not four
 * digits. */
void when_text(time_t t, char out[WHEN_TEXT_SIZE]);

#endif
