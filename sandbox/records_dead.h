/* The end of a VM whose launcher was killed, for the kernel's audit trail: written by whoever brings
 * in order what it left. */
#ifndef PAVISE_SANDBOX_RECORDS_DEAD_H
#define PAVISE_SANDBOX_RECORDS_DEAD_H

#include "common/err.h"
#include "sandbox/records_text.h"

/* Leaves the UUID of a VM whose start goes on record in its folder. -EX_HOST. */
int records_dead_prepare(int folder, const struct records_subject *s, struct err *e);

/* The end of the VM of that name, if its folder has such a UUID, and then takes that away: one end a
 * start. Nothing without audit. -EX_HOST: it cannot be written. */
int records_dead(int folder, const char *name, struct err *e);

#endif
