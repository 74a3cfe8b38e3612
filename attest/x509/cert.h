/* Certificates of a file, in its order, and what holds between two of them. */
#ifndef PAVISE_ATTEST_X509_CERT_H
#define PAVISE_ATTEST_X509_CERT_H

#include "attest/x509/cert_cache.h"
#include "common/err.h"

#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define CERTS_MAX 8u
#define CERTS_FILE_MAX 65536u /* bytes */

/* Owned; certs_free. */
struct certs {
	X509 *cert[CERTS_MAX];
	size_t count;
};

/* Takes 1 to CERTS_MAX certificates: PEM with nothing but white space and NULs between and behind,
 * or DER one after the other. `object` names the bytes in texts. -EX_MALFORMED, also for DER in
 * another form than its only one: *out is then empty. Those that the cache (NULL: none) remembers
 * are shared with it: nothing may change them. */
int certs_read(const char *object, const uint8_t *data, size_t size, struct certs *out,
	       struct err *e);
int certs_read_cached(struct cert_cache *cache, const char *object, const uint8_t *data,
		      size_t size, struct certs *out, struct err *e);
void certs_free(struct certs *c);

/* Is cert signed by issuer, named as its issuer, with the algorithm of its kind of key
 * (signed_by.h), and is that one a CA that may sign certificates? A root is issued by itself.
 * `what` names cert in texts. 0, -EX_UNAUTHENTIC. With a cache (NULL: none) the signature alone is
 * not checked again; all else is. */
int cert_check_issued(const char *what, X509 *cert, X509 *issuer, struct err *e);
int cert_check_issued_cached(struct cert_cache *cache, const char *what, X509 *cert, X509 *issuer,
			     struct err *e);

/* Is the time within the certificate's validity, both ends included? 0, -EX_COLLATERAL;
 * -EX_MALFORMED when it has none that can be read. */
int cert_check_time(const char *what, const X509 *cert, time_t now, struct err *e);

/* SHA-384 of the DER SubjectPublicKeyInfo. 0, or -1 when libcrypto fails. */
int cert_key_digest(const X509 *cert, uint8_t out[48]);

/* The common name of a name; "" when there is not exactly one, or it holds what is no printable
 * ASCII or does not fit. */
void cert_common_name(const X509_NAME *name, char *out, size_t size);

/* Does it name itself as its issuer? */
bool cert_is_root(const X509 *cert);

#endif
