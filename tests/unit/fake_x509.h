/* Certificates and revocation lists for tests, made with OpenSSL from the text of RFC 5280. Every
 * part can be made wrong in one way. */
#ifndef PAVISE_TESTS_UNIT_FAKE_X509_H
#define PAVISE_TESTS_UNIT_FAKE_X509_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define FAKE_X509_NOW ((time_t)1800000000) /* 2027-01-15T08:00:00Z */

/* A certificate; zero: a leaf with digitalSignature, P-256's algorithm, valid for a year about
 * FAKE_X509_NOW. */
struct fake_cert {
	const char *subject, *issuer; /* common names; issuer NULL: itself */
	EVP_PKEY *key, *issuer_key;   /* issuer_key NULL: its own */
	long serial;
	bool ca;
	const char *key_usage; /* as OpenSSL's configuration has it; NULL: by ca */
	long from, to;	       /* seconds from FAKE_X509_NOW; both 0: half a year each way */
	bool pss;	       /* RSASSA-PSS with md and salt */
	int salt;
	const EVP_MD *md; /* NULL: SHA-256 */
	/* One more extension: OID and contents. */
	const char *extra_oid;
	const uint8_t *extra;
	size_t extra_size;
};

struct fake_crl {
	const char *issuer;
	EVP_PKEY *key;
	const long *serial; /* revoked ones */
	size_t count;
	long from, to; /* as above */
	bool no_next;
	int version;		     /* 0: version 2, as X509_CRL_set_version */
	const char *extension;	     /* OID of one more, its contents NULL */
	const char *entry_extension; /* the same of every entry */
	bool critical;
	bool pss;
	int salt;
	const EVP_MD *md;
};

/* Abort on failure; the caller owns what they return. */
EVP_PKEY *fake_p256(void);
X509 *fake_x509_cert(const struct fake_cert *how);
X509_CRL *fake_x509_crl(const struct fake_crl *how);
/* DER into out (max bytes); its size. */
size_t fake_cert_der(X509 *cert, uint8_t *out, size_t max);
size_t fake_crl_der(X509_CRL *list, uint8_t *out, size_t max);
/* Appends PEM to text (max characters with the NUL). */
void fake_cert_pem(X509 *cert, char *text, size_t max);

#endif
