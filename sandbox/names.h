/* Names of virtual machines: they become file names, so the alphabet is closed. */
#ifndef PAVISE_SANDBOX_NAMES_H
#define PAVISE_SANDBOX_NAMES_H

#include "common/err.h"

#define NAME_MAX_LENGTH 32

/* 1 to 32 characters of a-z, 0-9 and '-': no dot, so no name can collide with what the launcher
 * itself keeps in the run directory (.pairs), and none climbs out of it. 0 or -EX_USAGE_ERROR. */
int name_check(const char *name, struct err *e);

#endif
