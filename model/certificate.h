/* Parts of the certificates that the simulated chips bring: each says in its names and by an
 * extension that no hardware certificate has that it is simulated. */
#ifndef PAVISE_MODEL_CERTIFICATE_H
#define PAVISE_MODEL_CERTIFICATE_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In the arc of UUIDs, which needs no registration: f1b2a6de-50c4-4a0e-9d3a-6c1d8e0b7a52. */
#define CERTIFICATE_SIMULATED_OID "2.25.321271560318626309002724959773335976530"
#define CERTIFICATE_SIMULATED_TEXT "SIMULATED"

/* Each is false when libcrypto fails. */

/* C, O "pavise platform model", OU and this common name. */
bool certificate_set_name(X509_NAME *name, const char *unit, const char *common);

/* Version 3, this serial number, validity from yesterday for years, the names and the key. */
bool certificate_set_frame(X509 *x, uint64_t serial, long years, EVP_PKEY *key);

bool certificate_add_extension(X509 *x, const char *oid, const uint8_t *data, int size);
bool certificate_add_string(X509 *x, const char *oid, uint8_t tag, const char *text);
/* As OpenSSL's configuration writes it. */
bool certificate_add_text(X509 *x, int nid, const char *text);
bool certificate_add_simulated(X509 *x);

/* PKCS#8 DER of a private key, OPENSSL_clear_free. */
bool certificate_key_der(EVP_PKEY *key, uint8_t **der, size_t *size);
EVP_PKEY *certificate_key_read(const uint8_t *der, size_t size);

#endif
