/* Collateral of the simulated platform (docs/PROTOCOL.collateral): what a vendor would publish. */
#ifndef PAVISE_MODEL_TDX_SIM_COLLATERAL_H
#define PAVISE_MODEL_TDX_SIM_COLLATERAL_H

#include "common/err.h"

#include <stddef.h>
#include <time.h>

#define COLLATERAL_DAYS 30 /* from issue to next update, as vendors do */
#define COLLATERAL_TEXT_MAX 32768u

/* A bundle as of now: TCB info and QE identity signed with the signing key (PKCS#8 DER), the
 * certificates of certs and signing, and the lists of signing (model/tdx_sim/chain.h). Writes text
 * with NUL, its length to *size. -EX_MALFORMED, -EX_INTERNAL. */
struct tdx_collateral_from {
	const void *certs, *signing, *key;
	size_t certs_size, signing_size, key_size;
	time_t now;
};
int tdx_collateral_make(const struct tdx_collateral_from *from, char out[COLLATERAL_TEXT_MAX],
			size_t *size, struct err *e);

#endif
