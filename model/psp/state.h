/* The state folder: one simulated chip per host. Made at first use; refused when anybody else
 * could read or change it, because then a simulated report would not even say which host. */
#ifndef PAVISE_MODEL_PSP_STATE_H
#define PAVISE_MODEL_PSP_STATE_H

#include "common/err.h"

#include <stddef.h>

#define STATE_KEY "chip.key"    /* PKCS#8 DER */
#define STATE_CERTS "certs.bin" /* GUIDed table */

/* Makes folder and chip when they are not there; checks both otherwise. *made says which. */
int state_init(const char *folder, int *made, struct err *e);

/* Writes the root certificate (PEM) of an existing state to `path`. */
int state_root(const char *folder, const char *path, struct err *e);

#endif
