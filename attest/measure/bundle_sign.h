/* Signing a bundle of reference values with a key file of its owner. */
#ifndef PAVISE_ATTEST_MEASURE_BUNDLE_SIGN_H
#define PAVISE_ATTEST_MEASURE_BUNDLE_SIGN_H

#include "attest/measure/references.h"
#include "common/err.h"

/* Signs r->text with the private key in the PEM file (ECDSA P-384 or Ed25519, not encrypted) and
 * sets key and signature of *r. -EX_HOST when the file cannot be read, -EX_MALFORMED for what is in
 * it. */
int bundle_sign(const char *path, struct references *r, struct err *e);

/* The file (docs/PROTOCOL.references) of a signed bundle; free it, NULL when out of memory. */
char *bundle_file(const struct references *r);

#endif
