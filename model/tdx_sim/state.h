/* The state folder: one simulated platform per host. Made at first use; refused when anybody else
 * could read or change it. It may be the folder of pavise-psp-sim: the names are others. */
#ifndef PAVISE_MODEL_TDX_SIM_STATE_H
#define PAVISE_MODEL_TDX_SIM_STATE_H

#include "common/err.h"

#define TDX_STATE_KEY "pck.key"           /* PKCS#8 DER; handed to the process of a VM */
#define TDX_STATE_CERTS "pck-chain.pem"   /* handed to the process of a VM */
#define TDX_STATE_SIGNING_KEY "tcb.key"   /* PKCS#8 DER; collateral only */
#define TDX_STATE_SIGNING "tcb-chain.pem" /* collateral only */

/* Makes folder and platform when they are not there; checks both otherwise. *made says which. */
int tdx_state_init(const char *folder, int *made, struct err *e);

/* Writes the root certificate (PEM) of an existing state to `path`. */
int tdx_state_root(const char *folder, const char *path, struct err *e);

/* Writes collateral as of now to `path`. */
int tdx_state_collateral(const char *folder, const char *path, struct err *e);

#endif
