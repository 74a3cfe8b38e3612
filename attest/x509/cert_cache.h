/* Certificates that were read before, and signatures that held, so that a verifier of many quotes
 * need not decode the same keys and check the same chains again. What it remembers follows from
 * bytes alone: a certificate from its text as received, a signature from the text of what is
 * signed and of the signer's certificate, a key from its coordinates. Nothing else is (names, uses,
 * times, revocation, trust), and no failure. One thread at a time; bounded: the least recently used
 * one makes room. */
#ifndef PAVISE_ATTEST_X509_CERT_CACHE_H
#define PAVISE_ATTEST_X509_CERT_CACHE_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CERT_CACHE_CERTS 64u
#define CERT_CACHE_PROOFS 128u
#define CERT_CACHE_KEYS 8u
#define CERT_CACHE_POINT_SIZE 64u
#define CERT_CACHE_NOTE_MAX 128u
#define CERT_CACHE_TEXT_MAX 8192u /* bytes of one certificate; longer ones are not remembered */

struct cert_cache;

/* To be freed; NULL: no memory. Every function below takes NULL for a cache that remembers
 * nothing. */
struct cert_cache *cert_cache_new(void);
void cert_cache_free(struct cert_cache *c);

/* The certificate whose whole text (DER, or PEM with both its lines) the size bytes at data begin
 * with, and how many bytes that is. A new reference; NULL: not remembered. Not to be changed. */
X509 *cert_cache_find(struct cert_cache *c, const uint8_t *data, size_t size, size_t *used);

/* Remembers what these bytes, all of them, were read as. It takes a reference of its own. */
void cert_cache_add(struct cert_cache *c, const uint8_t *text, size_t size, X509 *cert);

/* Into *out the digest of the text that cert came from; false: it is not one of the cache's. */
bool cert_cache_digest(struct cert_cache *c, const X509 *cert, uint8_t out[32]);

/* Has the signature of an object (SHA-256 of all its bytes, signature included) held under the key
 * of this certificate? False also for a certificate that is not of the cache. */
bool cert_cache_holds(struct cert_cache *c, const uint8_t object[32], const X509 *signer);

/* Remembers that it did. */
void cert_cache_held(struct cert_cache *c, const uint8_t object[32], const X509 *signer);

/* What was read out of one of the cache's certificates, as its reader keeps it (CERT_CACHE_NOTE_MAX
 * bytes); one note each. kind: whose note it is. */
enum cert_note { CERT_NOTE_NONE, CERT_NOTE_PCK };
bool cert_cache_noted(struct cert_cache *c, const X509 *cert, enum cert_note kind, void *out,
		      size_t size);
void cert_cache_note(struct cert_cache *c, const X509 *cert, enum cert_note kind, const void *note,
		     size_t size);

/* The public key whose two coordinates are these CERT_CACHE_POINT_SIZE bytes: keys that evidence
 * brings, and signs with again. A new reference; NULL: not remembered. */
EVP_PKEY *cert_cache_key(struct cert_cache *c, const uint8_t *point);
/* Remembers it; takes a reference of its own. */
void cert_cache_add_key(struct cert_cache *c, const uint8_t *point, EVP_PKEY *key);

/* How many of each it remembers now. */
size_t cert_cache_certs(const struct cert_cache *c);
size_t cert_cache_proofs(const struct cert_cache *c);

#endif
