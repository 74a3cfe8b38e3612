/* `pavise run --platform sim`: the host's simulated platforms, made at first use. */
#ifndef PAVISE_CLI_PLATFORM_H
#define PAVISE_CLI_PLATFORM_H

#include "common/err.h"

#define PLATFORM_STATE "/var/lib/pavise-sim" /* of both: their files have other names */

/* Runs the `init` of the simulation's program (the one beside this program) over the folder, then
 * opens key and certificates; both descriptors are inherited by what is executed next. */
int platform_open_chip(const char *folder, int *key, int *certs, struct err *e); /* SEV-SNP */
int platform_open_tdx(const char *folder, int *key, int *certs, struct err *e);

#endif
