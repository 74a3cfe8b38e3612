/* Certificate revocation lists (RFC 5280 section 5): AMD's and Intel's are whole and direct, so a
 * partial or an indirect one is refused rather than half understood. */
#ifndef PAVISE_ATTEST_X509_CRL_H
#define PAVISE_ATTEST_X509_CRL_H

#include "attest/x509/cert_cache.h"
#include "common/err.h"

#include <openssl/x509.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define CRL_FILE_MAX (1u << 20) /* bytes */

struct crl {
	X509_CRL *list;			 /* owned; crl_free */
	time_t this_update, next_update; /* seconds since the epoch */
	size_t entries;
	uint8_t digest[32]; /* SHA-256 of the bytes it was read from */
	char issuer[128]; /* common name; "" when there is not exactly one */
};

/* Takes one list, DER or PEM. -EX_MALFORMED: not one, not in the one form that DER allows, not
 * version 2, without nextUpdate, a delta or of some distribution point, or with a critical
 * extension (all of which would mean that being absent from it says less). */
int crl_read(const char *object, const uint8_t *data, size_t size, struct crl *out, struct err *e);
void crl_free(struct crl *c);

/* Is the list signed by issuer, named as its issuer, with the algorithm of its kind of key
 * (signed_by.h), and may that one sign lists? 0, -EX_UNAUTHENTIC. With a cache (NULL: none) the
 * signature alone is not checked again. */
int crl_check_issuer(const char *object, const struct crl *c, X509 *issuer, struct err *e);
int crl_check_issuer_cached(struct cert_cache *cache, const char *object, const struct crl *c,
			    X509 *issuer, struct err *e);

/* Is the time from thisUpdate to nextUpdate, both included? 0, -EX_COLLATERAL. */
int crl_check_time(const char *object, const struct crl *c, time_t now, struct err *e);

enum crl_answer {
	CRL_GOOD,	  /* of this list's issuer, and not on it */
	CRL_REVOKED,	  /* on it */
	CRL_OTHER_ISSUER, /* the list says nothing of this certificate */
};

/* What the list says of a certificate, by issuer and serial number; believe it only after the two
 * checks above. */
enum crl_answer crl_lookup(const struct crl *c, const X509 *cert);

/* All three at once, and the answer as an error: -EX_UNAUTHENTIC when the list is not issuer's, is
 * another issuer's than the certificate's, or has revoked it; -EX_COLLATERAL when it is not
 * current. `what` names cert in texts. */
int crl_check(const char *object, const struct crl *c, X509 *issuer, const char *what,
	      const X509 *cert, time_t now, struct err *e);

#endif
