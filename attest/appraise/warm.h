/* What a verifier keeps from one appraisal to the next (pavise_verifier_new): certificates, the
 * signatures that held between them (attest/x509/cert_cache.h), and collateral as it was read from
 * the very same files. No result depends on it, only how long that takes. One thread at a time. */
#ifndef PAVISE_ATTEST_APPRAISE_WARM_H
#define PAVISE_ATTEST_APPRAISE_WARM_H

#include "attest/collateral/collateral.h"
#include "attest/x509/cert_cache.h"

#include <stdbool.h>
#include <stddef.h>

#define WARM_COLLATERAL_MAX COLLATERAL_MAX /* bytes; of more nothing is kept */

struct blob;
struct warm;

/* To be freed; NULL: no memory. The functions below take NULL: nothing is kept then. */
struct warm *warm_new(void);
void warm_free(struct warm *w);

struct cert_cache *warm_certs(struct warm *w);

/* What was read from these files (names and bytes, in this order), moved into *out; false: it is
 * not there. */
bool warm_take(struct warm *w, const struct blob *file, size_t count, struct collateral *out);

/* Gives back, or gives, what was read from them without a fault: *c is empty then. In the place of
 * what was kept before. */
void warm_keep(struct warm *w, const struct blob *file, size_t count, struct collateral *c);

#endif
