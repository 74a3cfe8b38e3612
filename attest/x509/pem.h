/* PEM as people keep it: with explanations (openssl -text), Windows' line ends or notes between the
 * blocks, all of which RFC 7468 section 5.2 lets a reader ignore. For files that the caller names;
 * evidence is read to the last byte, and has no room for what no signature covers. */
#ifndef PAVISE_ATTEST_X509_PEM_H
#define PAVISE_ATTEST_X509_PEM_H

#include <stddef.h>
#include <stdint.h>

/* Leaves in data nothing but its PEM blocks, each with a line end behind it; the new size. What
 * begins as DER or JSON, or has no whole block, stays as it is. */
size_t pem_without_text(uint8_t *data, size_t size);

#endif
